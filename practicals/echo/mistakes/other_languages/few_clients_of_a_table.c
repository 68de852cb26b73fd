/* An echo server. It has room for 32 clients in its table for poll, and accepts no other until
   one of them has gone. */

#include "server.h"

#define CLIENTS 32

/* A client reads while its buffer is empty, and writes while it is not. */
static struct { char bytes[16384]; size_t start, end; } buffers[CLIENTS + 1];
static struct pollfd polls[CLIENTS + 1];

static int serve(int i) {
    int fd = polls[i].fd;
    if (buffers[i].start == buffers[i].end) {
        ssize_t count = read(fd, buffers[i].bytes, sizeof buffers[i].bytes);
        if (count <= 0)
            return count < 0 && errno == EAGAIN ? 0 : -1;
        buffers[i].start = 0;
        buffers[i].end = count;
    }
    ssize_t sent = write(fd, buffers[i].bytes + buffers[i].start, buffers[i].end - buffers[i].start);
    if (sent < 0 && errno != EAGAIN)
        return -1;
    if (sent > 0)
        buffers[i].start += sent;
    polls[i].events = buffers[i].start == buffers[i].end ? POLLIN : POLLOUT;
    return 0;
}

int main(int argc, char **argv) {
    polls[0].fd = listen_on(argc, argv);
    fcntl(polls[0].fd, F_SETFL, O_NONBLOCK);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i <= CLIENTS; i++)
        polls[i].fd = -1;
    for (;;) {
        int room = 0;
        for (int i = 1; i <= CLIENTS; i++)
            if (polls[i].fd < 0)
                room = i;
        polls[0].events = room ? POLLIN : 0;
        if (poll(polls, CLIENTS + 1, -1) < 0)
            continue;
        for (int i = 1; i <= CLIENTS; i++)
            if (polls[i].fd >= 0 && polls[i].revents && serve(i) < 0) {
                close(polls[i].fd);
                polls[i].fd = -1;
            }
        if (room && polls[0].revents & POLLIN && polls[room].fd < 0) {
            int client = accept4(polls[0].fd, NULL, NULL, SOCK_NONBLOCK);
            if (client >= 0) {
                polls[room].fd = client;
                polls[room].events = POLLIN;
                polls[room].revents = 0;
                buffers[room].start = buffers[room].end = 0;
            }
        }
    }
}
