//! What the confinement says of itself: a protection that is left out is noticed.
//! `SOCKET_PRACTICALS_WITHOUT` leaves one out.

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{folder_with, has, processes_with, program, python, report, root, xtask};
use crate::{RIGHT_PYTHON, has_namespaces, text};

const GRADE: &str = "grade echo --solution --only reports_bad_arguments";

/// Checks that the report misses this protection, on machines that can have it.
#[track_caller]
fn check(grading: &mut Command, protection: &str, says: &str) {
    let report = report(grading.env("SOCKET_PRACTICALS_WITHOUT", protection));
    let statement = report["confinement"].to_string();
    let missing = ["not active: namespaces", "not active: Landlock: "];
    let cannot = missing.iter().any(|words| statement.contains(words));
    assert!(statement.contains(says) || cannot, "{protection}: {statement}");
}

#[test]
fn the_self_test_notices_each_protection_that_is_left_out() {
    if !has_namespaces() {
        return;
    }
    let protections = [
        ("network", "not active: no network but its own"),
        ("processes", "not active: no other processes"),
        ("files", "not active: no files but its own"),
        ("environment", "not active: an empty environment"),
        ("privileges", "not active: no privileges"),
        ("landlock", "not active: Landlock"),
        ("seccomp", "not active: seccomp"),
        ("limits", "not active: limits on descriptors and processes"),
        ("disk", "not active: a limit on disk"),
        ("memory", "not active: a limit on memory"),
        ("groups", "a limit on memory, watched"),
        ("user,others", "not active: no changes to other processes"),
        ("signs", "not active: no signs to other programs"),
        ("commands", "not active: Landlock (reading a command"),
    ];
    std::thread::scope(|scope| {
        for (protection, says) in protections {
            scope.spawn(move || check(&mut xtask(GRADE), protection, says));
        }
    });
}

#[test]
fn the_self_test_notices_what_is_left_out_without_namespaces() {
    let of_root = [("auto", "user", "not active: no privileges (it runs as root")];
    let of_all = [
        ("landlock", "user,others", "not active: no changes to other processes"),
        ("landlock", "user,modes", "not active: no files but its own (the mode of"),
        ("landlock", "signs", "not active: no signs to other programs"),
        ("landlock", "commands", "not active: Landlock (reading a command"),
    ];
    let of_root = of_root.into_iter().filter(|_| is_root());
    for (tier, protection, says) in of_root.chain(of_all) {
        check(&mut xtask(&format!("{GRADE} --confine {tier}")), protection, says);
    }
}

/// A descriptor that the harness itself has inherited would reach the program.
#[test]
fn the_self_test_notices_a_descriptor_that_is_left_open() {
    let mut shell = Command::new("sh"); // opens descriptor 9 for the harness
    shell.args(["-c", "exec 9</dev/null; exec \"$0\" \"$@\""]).arg(env!("CARGO_BIN_EXE_xtask"));
    shell.args(GRADE.split_whitespace()).current_dir(root());
    check(&mut shell, "handles", "not active: no descriptors of the grader's");
}

/// Shows the course below `/usr`, which every program may read, and grades there.
const BELOW_USR: &str = "
mount -t tmpfs none /usr/src && mkdir /usr/src/course && mount --bind . /usr/src/course || exit 77
cd /usr/src/course && test -r practicals/echo/solution/echo_server/src/main.rs || exit 77
exec \"$@\"";

fn grade_below_usr(words: &str) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--map-root-user"].iter().take(if is_root() { 1 } else { 2 }));
    unshare.args(["sh", "-c", BELOW_USR, "sh", env!("CARGO_BIN_EXE_xtask")]).current_dir(root());
    unshare.args(words.split_whitespace());
    unshare
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

#[test]
fn no_program_sees_the_course_wherever_it_lies() {
    let server = python(
        "
        try: open('/usr/src/course/practicals/echo/solution/echo_server/src/main.rs').read()
        except OSError: listen(); serve()",
    );
    let folder = folder_with(&[("echo_server.py", &server)]);
    for tier in ["auto", "landlock"] {
        let one = format!("grade echo --only echoes_short_message --confine {tier} --submission");
        let mut grade = grade_below_usr(&one);
        if grade.arg(folder.path()).output().unwrap().status.code() == Some(77) || !has("python3") {
            println!("skipped: nothing can be mounted here");
            return;
        }
        grade.assert().code(0).stdout(contains("1 passed"));
        let mut grade = grade_below_usr(&format!("{GRADE} --confine {tier}"));
        check(&mut grade, "hidden", "not active: no files but its own");
    }
}

/// This is tried without namespaces: with them the kernel ends everything, whatever it is told.
#[test]
fn the_self_test_notices_a_process_that_survives() {
    if !has("python3") {
        return;
    }
    let folder = folder_with(&[("echo_server.py", &text(RIGHT_PYTHON))]);
    let server = folder.path().join("echo_server.py").display().to_string();
    let name = folder.path().file_name().unwrap().display().to_string();
    let mut grade = xtask("grade echo --only rests_when_idle --confine landlock");
    grade.arg(program("echo_server", format!("python3 -X {name} {server}")));
    check(&mut grade, "end", "not active: a certain end");
    assert_eq!(processes_with(&name), [""; 0], "the program itself must end all the same");
}

#[test]
fn what_is_required_and_missing_is_a_fault() {
    if has_namespaces() {
        let mut grade = xtask(GRADE);
        grade.args(["--confine", "required"]).env("SOCKET_PRACTICALS_WITHOUT", "seccomp");
        let says = "--confine required: not in force: seccomp";
        grade.assert().code(3).stderr(contains(says));
    }
}

#[test]
fn the_full_tier_says_what_it_has_verified() {
    if has_namespaces() {
        let assert = xtask(GRADE).args(["--confine", "required"]).assert().code(0);
        assert.stdout(contains("verified: no").and(contains("not active").not()));
    }
}

/// Echoes, and keeps each client's socket in a message to itself that it never receives.
const PUTS_SOCKETS_ASIDE: &str = "
import array, socket, sys
one, other = socket.socketpair()
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as s:
    while True:
        c, _ = s.accept()
        while data := c.recv(65536):
            c.sendall(data)
        one.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [c.fileno()]))])
        c.close()
";

#[test]
fn sockets_that_are_put_aside_in_messages_are_open() {
    if !has_namespaces() || !has("python3") {
        return;
    }
    let folder = folder_with(&[("echo_server.py", PUTS_SOCKETS_ASIDE)]);
    let mut grade = xtask("grade echo --only closes_after_client --confine required");
    grade.arg("--submission").arg(folder.path());
    grade.assert().code(1).stdout(contains("7 sockets, 6 of them in CLOSE_WAIT"));
}

/// Grades in a user namespace that allows this number of networks (namespaces(7)).
fn grade_with_networks(most: u32, confine: &str) -> Command {
    let script = format!(
        "echo {most} >/proc/sys/user/max_net_namespaces || exit 77
        exec \"$@\" --confine {confine}"
    );
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "sh", "-c", &script, "sh"]).current_dir(root());
    unshare.arg(env!("CARGO_BIN_EXE_xtask")).args(GRADE.split_whitespace());
    unshare
}

/// A program of the same user could otherwise switch off the confinement of all other gradings.
#[test]
fn a_machine_without_room_lowers_no_protection() {
    if !has_namespaces()
        || grade_with_networks(9, "auto").output().unwrap().status.code() != Some(0)
    {
        println!("skipped: no limits on namespaces here");
        return;
    }
    let says = contains("namespaces could not be tried").and(contains("try again"));
    grade_with_networks(1, "auto").assert().code(3).stderr(says);
    // A system that is set to allow none has none.
    grade_with_networks(0, "auto").assert().stderr(contains("could not be tried").not());
}

/// Echoes only if the kernel executes nothing of what it writes, wherever it may write.
const EXECUTES_WHAT_IT_WRITES: &str = "
    import mmap, tempfile
    for place in ['/tmp', '/dev/shm', os.getcwd(), os.path.dirname(os.path.abspath(__file__))]:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(bytes(4096)); file.flush()
            try: mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
            except PermissionError: continue
            sys.exit(f'{place} is executable')
    listen(); serve()";

#[test]
fn what_a_program_writes_is_not_executed() {
    if !has_namespaces() || !has("python3") {
        return;
    }
    let folder = folder_with(&[("echo_server.py", &python(EXECUTES_WHAT_IT_WRITES))]);
    let mut grade = xtask("grade echo --only echoes_short_message --confine required");
    grade.arg("--submission").arg(folder.path());
    grade.assert().code(0).stdout(contains("1 passed"));
}
