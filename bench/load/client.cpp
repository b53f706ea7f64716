#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace load {
namespace {

constexpr uint8_t opText = 1, opClose = 8, opPing = 9, opPong = 10;
constexpr size_t longestRead = 256 * 1024;

}  // namespace

Client::Client(int port, bool aid) {
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) throw std::runtime_error(std::string("no socket: ") + std::strerror(errno));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("cannot connect to port " + std::to_string(port) + ": " + std::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sendAll(std::string("GET /") + (aid ? "" : "?protocol=action") +
            " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
}

Client::~Client() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Client::Client(Client&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      upgraded_(other.upgraded_),
      closed_(other.closed_),
      partial_(std::move(other.partial_)) {}

size_t Client::receive(std::string& buffer) {
    const size_t kept = partial_.size();
    if (buffer.size() < kept + longestRead) buffer.resize(2 * (kept + longestRead));
    std::memcpy(buffer.data(), partial_.data(), kept);
    const ssize_t count = ::recv(descriptor_, buffer.data() + kept, longestRead, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) closed_ = true;
    const size_t taken = count > 0 ? static_cast<size_t>(count) : 0;
    rest_ = std::string_view(buffer).substr(0, kept + taken);
    return taken;
}

/** Takes the next whole text frame off the rest; answers pings and notes a close on the way. */
bool Client::next(std::string_view& frame) {
    if (!upgraded_) {
        const size_t end = rest_.find("\r\n\r\n");
        if (end == std::string_view::npos) return false;
        if (rest_.substr(0, 12) != "HTTP/1.1 101") throw std::runtime_error(std::string(rest_.substr(0, end)));
        upgraded_ = true;
        rest_.remove_prefix(end + 4);
    }
    while (rest_.size() >= 2) {
        const auto* bytes = reinterpret_cast<const uint8_t*>(rest_.data());
        size_t head = 2;
        uint64_t length = bytes[1] & 0x7F;
        if (length == 126) {
            head = 4;
            if (rest_.size() < head) return false;
            length = static_cast<uint64_t>(bytes[2]) << 8 | bytes[3];
        } else if (length == 127) {
            head = 10;
            if (rest_.size() < head) return false;
            length = 0;
            for (int i = 2; i < 10; ++i) length = length << 8 | bytes[i];
        }
        if (rest_.size() < head + length) return false;
        const uint8_t opcode = bytes[0] & 0x0F;
        frame = rest_.substr(head, length);
        rest_.remove_prefix(head + length);
        if (opcode == opText) return true;
        if (opcode == opPing) sendFrame(opPong, frame);
        if (opcode == opClose) closed_ = true;
    }
    return false;
}

void Client::keepRest() {
    partial_.assign(rest_);
}

void Client::send(std::string_view text) {
    sendFrame(opText, text);
}

/** Masked with zeros, which leaves the payload as it is. */
void Client::sendFrame(uint8_t opcode, std::string_view payload) {
    std::string frame;
    frame.push_back(static_cast<char>(0x80 | opcode));
    const size_t length = payload.size();
    if (length < 126) {
        frame.push_back(static_cast<char>(0x80 | length));
    } else if (length < 65536) {
        frame.push_back(static_cast<char>(0x80 | 126));
        frame.push_back(static_cast<char>(length >> 8));
        frame.push_back(static_cast<char>(length & 0xFF));
    } else {
        frame.push_back(static_cast<char>(0x80 | 127));
        for (int shift = 56; shift >= 0; shift -= 8) frame.push_back(static_cast<char>(length >> shift & 0xFF));
    }
    frame.append(4, '\0');
    frame.append(payload);
    sendAll(frame);
}

void Client::sendAll(std::string_view bytes) {
    while (!bytes.empty() && !closed_) {
        const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<size_t>(count));
        } else if (errno == EAGAIN) {
            pollfd writable{descriptor_, POLLOUT, 0};
            ::poll(&writable, 1, 1000);
        } else if (errno != EINTR) {
            closed_ = true;
        }
    }
}

}  // namespace load
