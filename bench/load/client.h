// One WebSocket client on a non-blocking socket.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace load {

class Client {
public:
    /** Connects to loopback. Throws std::runtime_error. */
    Client(int port, bool aid);
    ~Client();
    Client(Client&& other) noexcept;
    Client(const Client&) = delete;

    int descriptor() const { return descriptor_; }
    bool closed() const { return closed_; }
    bool upgraded() const { return upgraded_; }

    /**
     * Reads once into `buffer` and calls onFrame(text) for each whole text frame; the text is valid during the call.
     * The number of bytes read, 0 when there were none.
     */
    template <typename OnFrame>
    size_t read(std::string& buffer, OnFrame onFrame) {
        const size_t taken = receive(buffer);
        std::string_view frame;
        while (next(frame)) onFrame(frame);
        keepRest();
        return taken;
    }

    /** Sends a text frame; blocks until the kernel has it. */
    void send(std::string_view text);

private:
    size_t receive(std::string& buffer);
    bool next(std::string_view& frame);
    void keepRest();
    void sendFrame(uint8_t opcode, std::string_view payload);
    void sendAll(std::string_view bytes);

    int descriptor_ = -1;
    bool upgraded_ = false;
    bool closed_ = false;
    /** Bytes of a frame that has not come whole. */
    std::string partial_;
    std::string_view rest_;
};

}  // namespace load
