//! Servers that say at their start where they are reached: they ask the system for its names,
//! addresses and services, in each language in its own way.

use predicates::str::contains;

use crate::languages::{JAVA, NODE};
use crate::support::{folder_with, grade, has, python};
use crate::{has_namespaces, text};

/// Checks that a server passes which has full tier around it.
#[track_caller]
fn passes(name: &str, source: &str) {
    let assert = grade("--only echoes_short_message", &folder_with(&[(name, source)])).assert();
    assert.code(0).stdout(contains("1 passed"));
}

const PYTHON: &str = "
    import platform
    name = socket.gethostname()
    print('on', name, socket.gethostbyname(name), socket.getfqdn(), socket.gethostbyaddr(name))
    print(socket.getaddrinfo(name, sys.argv[2], type=socket.SOCK_STREAM))
    print(socket.getservbyname('http'), socket.getservbyport(7), socket.getprotobyname('tcp'))
    print(platform.freedesktop_os_release()['ID'], open('/etc/hosts').read())
    assert open('/etc/hostname').read().strip() == name
    assert len(socket.if_nameindex()) > 1
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.connect(('8.8.8.8', 80))
    own = u.getsockname()[0]
    assert not own.startswith('127.') and socket.create_server((own, 0))
    listen(); serve()";

#[test]
fn a_python_server_finds_its_names_and_addresses() {
    if has("python3") && has_namespaces() {
        passes("echo_server.py", &python(PYTHON));
    }
}

const NODE_BANNER: &str = "
const all = Object.values(require('os').networkInterfaces()).flat();
const own = all.find((one) => one.family === 'IPv4' && !one.internal).address;
console.log(`http://${own}:${process.argv[3]}`);
require('dns').lookup(require('os').hostname(), (error) => { if (error) throw error; });
";

#[test]
fn a_node_server_finds_its_interfaces() {
    if has("node") && has_namespaces() {
        passes("echo_server.js", &format!("{NODE_BANNER}{NODE}"));
    }
}

const JAVA_BANNER: &str = r#"
    try {
      System.out.println(InetAddress.getLocalHost());
      java.util.Enumeration<NetworkInterface> all = NetworkInterface.getNetworkInterfaces();
      while (all.hasMoreElements()) System.out.println(all.nextElement().getInterfaceAddresses());
      DatagramSocket socket = new DatagramSocket();
      socket.connect(InetAddress.getByName("8.8.8.8"), 10002);
      if (socket.getLocalAddress().isAnyLocalAddress()) throw new IOException("no address");
    } catch (IOException e) { throw new UncheckedIOException(e); }
"#;

#[test]
fn a_java_server_finds_its_interfaces() {
    if has("javac") && has_namespaces() {
        let begin = "int port = -1;";
        let source = JAVA.replace(begin, &format!("{JAVA_BANNER}{begin}"));
        assert_ne!(source, JAVA);
        passes("EchoServer.java", &source);
    }
}

const C_BANNER: &str = r#"
#include <ifaddrs.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
__attribute__((constructor)) static void banner(void) {
  char name[256];
  struct addrinfo *found;
  struct ifaddrs *all;
  if (gethostname(name, sizeof name) || getaddrinfo(name, 0, 0, &found)) _exit(3);
  if (getifaddrs(&all) || !getservbyname("echo", "tcp") || !getprotobyname("tcp")) _exit(4);
}
"#;

#[test]
fn a_c_server_finds_its_interfaces() {
    if has("cc") && has_namespaces() {
        let source = text("mistakes/other_languages/echo_server.c");
        passes("echo_server.c", &format!("{C_BANNER}{source}"));
    }
}
