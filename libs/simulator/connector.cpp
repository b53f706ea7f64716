#include "connector.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "clock.h"

namespace sim {
namespace {

/** Splits an address into host and port; false for anything that is not tcp:// or tcp6://. */
bool splitAddress(const std::string& address, std::string& host, std::string& port) {
    const size_t scheme = address.find("://");
    if (scheme == std::string::npos) return false;
    const std::string name = address.substr(0, scheme);
    if (name != "tcp" && name != "tcp6") return false;
    const std::string rest = address.substr(scheme + 3);
    const size_t colon = rest.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == rest.size()) return false;
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return true;
}

/** Starts a connection; -1 when that fails at once. */
int startConnecting(const std::string& address) {
    std::string host, port;
    if (!splitAddress(address, host, port)) return -1;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
    int descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 && connect(descriptor, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
        close(descriptor);
        descriptor = -1;
    }
    freeaddrinfo(found);
    if (descriptor >= 0) {
        const int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return descriptor;
}

bool hasConnected(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

}  // namespace

int connectToFirst(const std::vector<std::string>& addresses, int wakeDescriptor, int timeoutMs) {
    std::vector<pollfd> attempts{{wakeDescriptor, POLLIN, 0}};
    for (const std::string& address : addresses) {
        const int descriptor = startConnecting(address);
        if (descriptor >= 0) attempts.push_back({descriptor, POLLOUT, 0});
    }
    int winner = -1;
    const int64_t deadline = monotonicMs() + timeoutMs;
    while (winner < 0 && attempts.size() > 1) {
        const int64_t left = deadline - monotonicMs();
        if (left <= 0) break;
        const int ready = poll(attempts.data(), attempts.size(), static_cast<int>(left));
        if (ready < 0 && errno != EINTR) break;
        if (ready <= 0) continue;
        if (attempts[0].revents != 0) break;
        for (size_t i = attempts.size(); i-- > 1;) {
            if (attempts[i].revents == 0) continue;
            if (winner < 0 && hasConnected(attempts[i].fd)) winner = attempts[i].fd;
            else close(attempts[i].fd);
            attempts.erase(attempts.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    for (size_t i = 1; i < attempts.size(); ++i) {
        close(attempts[i].fd);
    }
    return winner;
}

}  // namespace sim
