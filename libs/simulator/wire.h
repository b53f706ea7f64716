// The protocol between the simulated library and the simulated front, over TCP. Little-endian throughout.
//
//   frame     byte 0  'Q' 'S'      magic
//                  2  u8           version, 1
//                  3  u8           type
//                  4  u32          bytes of the body, at most 1 MiB
//                  8  body
//
//   client → front
//   1  login          i32 request id, c[11] broker id, c[16] user id, c[41] password
//   2  logout         i32 request id, c[11] broker id, c[16] user id
//   3  subscribe      u32 count, then per id: u8 length, bytes
//   4  unsubscribe    the same
//   5  subscribe to quote requests, 6 unsubscribe: the same
//   7  heartbeat      empty
//
//   front → client
//   65 login response      i32 request id, i32 error id, c[81] error text (GB18030), c[9] trading day,
//                          c[9] login time, c[11] broker id, c[16] user id, c[41] system name, i32 front, i32 session
//   66 logout response     i32 request id, i32 error id, c[81] error text, c[11] broker id, c[16] user id
//   67 subscribe response  i32 error id, c[81] error text, u8 last, u8 length, id
//   68–70 unsubscribe, subscribe-quote-requests, unsubscribe-quote-requests response: the same
//   71 heartbeat           empty
//   72 tick                struct Tick (tick.h), then the id, Tick::idLength bytes
//   73 error               i32 request id, i32 error id, c[81] error text
//   74 order               u8 what, i32 first, i32 second: a fault that is the library's own (enum Order)
//
// c[n] is NUL-padded. A front sends a heartbeat every ten seconds, a client when it has sent nothing for ten seconds;
// a side that hears nothing for two minutes gives the connection up. Anything else than the above is a bad packet
// and ends the connection.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace sim::wire {

inline constexpr size_t headerBytes = 8;
inline constexpr uint32_t maxBodyBytes = 1 << 20;
inline constexpr char magic0 = 'Q';
inline constexpr char magic1 = 'S';
inline constexpr uint8_t version = 1;
inline constexpr int64_t heartbeatIntervalMs = 10 * 1000;

enum class Type : uint8_t {
    login = 1, logout, subscribe, unsubscribe, subscribeForQuote, unsubscribeForQuote, heartbeat,
    loginResponse = 65, logoutResponse, subscribeResponse, unsubscribeResponse, subscribeForQuoteResponse,
    unsubscribeForQuoteResponse, frontHeartbeat, tick, error, order
};

/** What a front can order the library to do. */
enum class Order : uint8_t {
    disconnect = 1,    // end the connection with reason `first`
    returnCode = 2,    // answer the next `second` requests with `first`
    throwAtCreate = 3  // fail the next `first` creations in the process
};

/** The type of the answers to a request about ids. */
inline constexpr Type responseTo(Type request) {
    return static_cast<Type>(static_cast<uint8_t>(request) - static_cast<uint8_t>(Type::subscribe) +
                             static_cast<uint8_t>(Type::subscribeResponse));
}

/** Appends one frame to a byte buffer; the body's length is set when the writer is finished. */
class FrameWriter {
public:
    FrameWriter(std::string& out, Type type) : out_(out), start_(out.size()) {
        const char header[headerBytes] = {magic0, magic1, static_cast<char>(version), static_cast<char>(type), 0, 0, 0, 0};
        out_.append(header, headerBytes);
    }
    ~FrameWriter() {
        const uint32_t length = static_cast<uint32_t>(out_.size() - start_ - headerBytes);
        std::memcpy(&out_[start_ + 4], &length, sizeof length);
    }
    FrameWriter(const FrameWriter&) = delete;
    FrameWriter& operator=(const FrameWriter&) = delete;

    void u8(uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void i32(int32_t value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
    /** A fixed field of `width` bytes, the last of which is always NUL. */
    void text(std::string_view value, size_t width) {
        const std::string_view kept = value.substr(0, width - 1);
        out_.append(kept);
        out_.append(width - kept.size(), '\0');
    }
    void bytes(const void* data, size_t length) { out_.append(static_cast<const char*>(data), length); }

private:
    std::string& out_;
    size_t start_;
};

/** Reads a body; once it has run past the end, `ok` stays false and every value is zero. */
class BodyReader {
public:
    BodyReader(const char* data, size_t length) : data_(data), left_(length) {}

    bool ok() const { return ok_; }
    bool done() const { return ok_ && left_ == 0; }

    uint8_t u8() { return scalar<uint8_t>(); }
    int32_t i32() { return scalar<int32_t>(); }
    std::string_view bytes(size_t length) {
        if (!ok_ || left_ < length) {
            ok_ = false;
            return {};
        }
        const std::string_view taken(data_, length);
        data_ += length;
        left_ -= length;
        return taken;
    }
    /** A fixed field, up to its first NUL. */
    std::string_view text(size_t width) {
        const std::string_view field = bytes(width);
        return field.substr(0, field.find('\0'));
    }

private:
    template <typename T>
    T scalar() {
        T value{};
        const std::string_view field = bytes(sizeof value);
        if (ok_) std::memcpy(&value, field.data(), sizeof value);
        return value;
    }

    const char* data_;
    size_t left_;
    bool ok_ = true;
};

}  // namespace sim::wire
