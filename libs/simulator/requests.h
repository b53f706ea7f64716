// What the caller's threads leave for the API thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "wire.h"

namespace sim {

struct Request {
    wire::Type type;
    int32_t requestId = 0;
    std::string brokerId;
    std::string userId;
    std::string password;
    std::vector<std::string> ids;
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
