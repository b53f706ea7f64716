// Drives a vendor library on command: one command a line on stdin, one JSON object a line on stdout.
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "vendor_abi.h"

namespace {

std::mutex outputMutex;
std::atomic<bool> quiet{false};
std::atomic<long> tickCount{0};
std::atomic<int> callbackDelayUs{0};

long threadId() {
    return syscall(SYS_gettid);
}

void print(const std::string& json) {
    const std::lock_guard lock(outputMutex);
    std::fputs((json + "\n").c_str(), stdout);
    std::fflush(stdout);
}

std::string quoted(const char* text) {
    std::string out = "\"";
    for (; *text != '\0'; ++text) {
        const unsigned char c = static_cast<unsigned char>(*text);
        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
            out += escaped;
        } else {
            out += static_cast<char>(c);
        }
    }
    return out + "\"";
}

std::string number(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    return text;
}

void event(const std::string& name, const std::string& rest) {
    print("{\"event\":\"" + name + "\",\"thread\":" + std::to_string(threadId()) + rest + "}");
}

std::string response(const char* info, int requestId, bool last) {
    return ",\"error\":" + (info == nullptr ? std::string("null") : std::to_string(abi::i32(info, 0))) +
           ",\"text\":" + quoted(info == nullptr ? "" : info + 4) + ",\"request\":" + std::to_string(requestId) +
           ",\"last\":" + (last ? "true" : "false");
}

void onConnected(abi::Spi*) {
    event("connected", "");
}
void onDisconnected(abi::Spi*, int reason) {
    event("disconnected", ",\"reason\":" + std::to_string(reason));
}
void onHeartBeatWarning(abi::Spi*, int) {
    event("heartbeat_warning", "");
}
void onLogin(abi::Spi*, const char* login, const char* info, int requestId, bool last) {
    event("login", response(info, requestId, last) + ",\"trading_day\":" + quoted(login) + ",\"broker\":" +
                       quoted(login + 18) + ",\"user\":" + quoted(login + 29) + ",\"system\":" + quoted(login + 45));
}
void onLogout(abi::Spi*, const char* logout, const char* info, int requestId, bool last) {
    event("logout", response(info, requestId, last) + ",\"user\":" + quoted(logout + 11));
}
void onError(abi::Spi*, const char* info, int requestId, bool last) {
    event("error", response(info, requestId, last));
}
template <int number>
void onInstrument(abi::Spi*, const char* instrument, const char* info, int requestId, bool last) {
    static const char* const names[] = {"subscribed", "unsubscribed", "quote_subscribed", "quote_unsubscribed"};
    if (!quiet) event(names[number], response(info, requestId, last) + ",\"id\":" + quoted(instrument + 31));
}
void onUnexpected(abi::Spi*) {
    event("unexpected", "");
}

void onTick(abi::Spi*, const char* depth) {
    tickCount.fetch_add(1, std::memory_order_relaxed);
    if (callbackDelayUs > 0) usleep(static_cast<useconds_t>(callbackDelayUs.load()));
    if (quiet) return;
    static const int doubles[] = {80,  88,  96,  104, 112, 120, 128, 144, 152, 160, 168, 176, 184, 192, 200,
                                  224, 240, 256, 272, 288, 304, 320, 336, 352, 368, 384, 568, 576};
    static const int ints[] = {136, 220, 232, 248, 264, 280, 296, 312, 328, 344, 360, 376};
    std::string fields;
    for (const int offset : doubles) fields += "\"" + std::to_string(offset) + "\":" + number(abi::f64(depth, offset)) + ",";
    for (const int offset : ints) fields += "\"" + std::to_string(offset) + "\":" + std::to_string(abi::i32(depth, offset)) + ",";
    for (const int offset : {0, 9, 40, 49, 208, 392, 482}) {
        fields += "\"" + std::to_string(offset) + "\":" + quoted(depth + offset) + ",";
    }
    fields.pop_back();
    event("tick", ",\"id\":" + quoted(depth + abi::depthInstrumentId) + ",\"fields\":{" + fields + "}");
}

template <typename Function>
void* slot(Function function) {
    return reinterpret_cast<void*>(function);
}

void* const spiTable[abi::spiSlots] = {slot(onConnected),     slot(onDisconnected),  slot(onHeartBeatWarning),
                                       slot(onLogin),         slot(onLogout),        slot(onUnexpected),
                                       slot(onError),         slot(onInstrument<0>), slot(onInstrument<1>),
                                       slot(onInstrument<2>), slot(onInstrument<3>), slot(onTick),
                                       slot(onUnexpected)};
abi::Spi spi{spiTable};

using Factory = abi::Api* (*)(const char*, bool, bool, bool);

void returned(const std::string& command, int code) {
    print("{\"returned\":\"" + command + "\",\"code\":" + std::to_string(code) + "}");
}

int subscribe(abi::Api* api, abi::ApiSlot which, std::vector<std::string> ids) {
    std::vector<char*> pointers;
    for (std::string& id : ids) pointers.push_back(id.data());
    return abi::call<int>(api, which, pointers.data(), static_cast<int>(pointers.size()));
}

int login(abi::Api* api, const std::vector<std::string>& words) {
    char request[512] = {};
    if (words.size() > 0) std::strncpy(request + 9, words[0].c_str(), 10);
    if (words.size() > 1) std::strncpy(request + 20, words[1].c_str(), 15);
    return abi::call<int>(api, abi::reqUserLogin, static_cast<void*>(request), 7);
}

/** Creates, begins and releases instances in quick succession, each at another moment of its life. */
void storm(Factory create, const std::string& flow, const std::string& address, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        abi::Api* api = create(flow.c_str(), false, false, true);
        std::string front = address;
        abi::call<void>(api, abi::registerSpi, &spi);
        abi::call<void>(api, abi::registerFront, front.data());
        abi::call<void>(api, abi::init);
        for (int step = 0; step < i % 7; ++step) {
            usleep(300);
            login(api, {"9999"});
            subscribe(api, abi::subscribeMarketData, {"rb2701", "IF2612", "none"});
            if (step % 3 == 2) abi::call<void>(api, abi::registerSpi, static_cast<abi::Spi*>(nullptr));
            if (step % 3 == 1) abi::call<void>(api, abi::registerSpi, &spi);
        }
        abi::call<void>(api, abi::release);
    }
}

}  // namespace

int main(int argc, char** argv) {
    void* library = argc < 2 ? nullptr : dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        std::fprintf(stderr, "no library: %s\n", argc < 2 ? "usage: client LIBRARY" : dlerror());
        return 2;
    }
    const auto create = reinterpret_cast<Factory>(dlsym(library, "_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKcbbb"));
    const auto version = reinterpret_cast<const char* (*)()>(dlsym(library, "_ZN15CThostFtdcMdApi13GetApiVersionEv"));
    if (create == nullptr || version == nullptr) return 2;
    print("{\"started\":true,\"thread\":" + std::to_string(threadId()) + ",\"version\":" + quoted(version()) + "}");

    abi::Api* api = nullptr;
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream in(line);
        std::string command, word;
        in >> command;
        std::vector<std::string> words;
        while (in >> word) words.push_back(word);
        int code = 0;
        if (command == "create") {
            try {
                api = create(words[0].c_str(), false, false, true);
            } catch (const std::exception& error) {
                print("{\"threw\":" + quoted(error.what()) + "}");
                continue;
            }
        } else if (command == "quiet") quiet = words[0] == "on";
        else if (command == "delay") callbackDelayUs = std::stoi(words[0]);
        else if (command == "count") code = static_cast<int>(tickCount.exchange(0));
        else if (command == "storm") storm(create, words[0], words[1], std::stoi(words[2]));
        else if (api == nullptr) code = -100;
        else if (command == "spi") abi::call<void>(api, abi::registerSpi, words[0] == "on" ? &spi : nullptr);
        else if (command == "front") abi::call<void>(api, abi::registerFront, words[0].data());
        else if (command == "init") abi::call<void>(api, abi::init);
        else if (command == "login") code = login(api, words);
        else if (command == "logout") {
            char request[27] = {};
            code = abi::call<int>(api, abi::reqUserLogout, static_cast<void*>(request), 8);
        } else if (command == "subscribe") code = subscribe(api, abi::subscribeMarketData, words);
        else if (command == "unsubscribe") code = subscribe(api, abi::unSubscribeMarketData, words);
        else if (command == "subscribe_quote") code = subscribe(api, abi::subscribeForQuote, words);
        else if (command == "unsubscribe_quote") code = subscribe(api, abi::unSubscribeForQuote, words);
        else if (command == "multicast") {
            char query[116] = {};
            code = abi::call<int>(api, abi::reqQryMulticastInstrument, static_cast<void*>(query), 9);
        } else if (command == "day") code = std::stoi(abi::call<const char*>(api, abi::getTradingDay));
        else if (command == "join") code = abi::call<int>(api, abi::join);
        else if (command == "release") {
            abi::call<void>(api, abi::release);
            api = nullptr;
        } else {
            code = -101;
        }
        returned(command, code);
    }
    if (api != nullptr) abi::call<void>(api, abi::release);
    return 0;
}
