// The test's own statement of the vendor's ABI of generation 6.7.13: vtables as arrays of functions, structs by
// offset. It shares nothing with the library under test.
#pragma once
#include <cstdint>
#include <cstring>

namespace abi {

enum SpiSlot {
    frontConnected, frontDisconnected, heartBeatWarning, rspUserLogin, rspUserLogout, rspQryMulticastInstrument,
    rspError, rspSubMarketData, rspUnSubMarketData, rspSubForQuote, rspUnSubForQuote, rtnDepthMarketData,
    rtnForQuote, spiSlots
};
enum ApiSlot {
    release, init, join, getTradingDay, registerFront, registerNameServer, registerFensUserInfo, registerSpi,
    subscribeMarketData, unSubscribeMarketData, subscribeForQuote, unSubscribeForQuote, reqUserLogin, reqUserLogout,
    reqQryMulticastInstrument
};

struct Spi {
    void* const* vtable;
};
struct Api {
    void* const* vtable;
};

template <typename Result, typename... Arguments>
Result call(Api* api, ApiSlot slot, Arguments... arguments) {
    return reinterpret_cast<Result (*)(Api*, Arguments...)>(api->vtable[slot])(api, arguments...);
}

inline double f64(const char* data, int offset) {
    double value;
    std::memcpy(&value, data + offset, sizeof value);
    return value;
}
inline int32_t i32(const char* data, int offset) {
    int32_t value;
    std::memcpy(&value, data + offset, sizeof value);
    return value;
}

constexpr int loginRequestBytes = 280;
constexpr int depthBytes = 584;
constexpr int depthInstrumentId = 401;

}  // namespace abi
