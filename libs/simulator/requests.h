// What the caller's threads leave for the API thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "wire.h"

namespace sim {

struct Request {
    explicit Request(wire::Type kind, int32_t id = 0) : type(kind), requestId(id) {}

    wire::Type type;
    int32_t requestId;
    std::string brokerId;
    std::string userId;
    std::string password;
    std::vector<std::string> ids;
    std::vector<std::string> tooLongIds;   // do not fit the generation's structs; answered without the front
};

/** Return codes of the vendor's request methods. */
inline constexpr int requestSent = 0;
inline constexpr int requestNotConnected = -1;
inline constexpr int requestTooManyPending = -2;

inline constexpr int reasonReadFailed = 0x1001;
inline constexpr int reasonWriteFailed = 0x1002;
inline constexpr int reasonHeartbeatTimeout = 0x2001;
inline constexpr int reasonBadPacket = 0x2003;

}  // namespace sim
