/* An echo client. It writes its message through a stream and reads the reply with getc. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void usage(void) {
    fprintf(stderr, "usage: echo_client HOST PORT [MESSAGE]\n");
    exit(2);
}

/* Steps 4 and 5: returns a connected socket, or ends the program with a message. */
static int connect_to(const char *host, const char *port) {
    char *end;
    long number = strtol(port, &end, 10);
    if (*host == 0 || *port == 0 || *end != 0 || number < 0 || number > 65535)
        usage();
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error != 0) {
        fprintf(stderr, "cannot find %s: %s\n", host, gai_strerror(error));
        exit(1);
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
        fprintf(stderr, "cannot connect to %s:%s: %s\n", host, port, strerror(errno));
        exit(1);
    }
    freeaddrinfo(found);
    return fd;
}

/* Returns MESSAGE, or a line from stdin without its line end. */
static char *get_message(int argc, char **argv, size_t *size) {
    if (argc > 3) {
        *size = strlen(argv[3]);
        return argv[3];
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t length = getline(&line, &room, stdin);
    if (length < 0)
        length = 0;
    if (length > 0 && line[length - 1] == '\n') {
        length--;
        if (length > 0 && line[length - 1] == '\r')
            length--;
    }
    *size = length;
    return line;
}

int main(int argc, char **argv) {
    size_t size;
    if (argc < 3 || argc > 4)
        usage();
    int server = connect_to(argv[1], argv[2]);
    signal(SIGPIPE, SIG_IGN);
    char *message = get_message(argc, argv, &size);
    FILE *in = fdopen(server, "rb"), *out = fdopen(dup(server), "wb");
    char *reply = malloc(size + 1);
    if (fwrite(message, 1, size, out) < size || fflush(out) != 0) {
        perror("send");
        return 1;
    }
    for (size_t i = 0; i < size; i++) {
        int byte = getc(in);
        if (byte == EOF) {
            fprintf(stderr, "the reply ends after %zu of %zu bytes\n", i, size);
            return 1;
        }
        reply[i] = byte;
    }
    fclose(out);
    fclose(in);
    reply[size] = '\n';
    fwrite(reply, 1, size + 1, stdout);
    return 0;
}
