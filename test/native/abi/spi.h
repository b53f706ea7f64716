// The caller's side of the callbacks: a hand-made object whose vtable has the slots of one generation.
#pragma once
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <map>

#include "struct_check.h"

namespace abi {

/** Slots behind the last one of a generation; a call there means that its order is not the one of the table. */
constexpr int trapSlots = 8;

inline long threadId() {
    return syscall(SYS_gettid);
}

/** What one created Api object has to call. It is never freed: callbacks may come late. */
class Spi {
public:
    Spi(const std::string& session, const Generation& generation, const std::atomic<bool>& quiet,
        std::atomic<long>& ticks)
        : session_(session), generation_(generation), quiet_(quiet), ticks_(ticks) {
        const std::map<std::string, void*> known = {
            {"FrontConnected", slot(onConnected)},
            {"FrontDisconnected", slot(onDisconnected)},
            {"HeartBeatWarning", slot(onHeartBeatWarning)},
            {"RspUserLogin", slot(onResponse<0>)},
            {"RspUserLogout", slot(onResponse<1>)},
            {"RspQryMulticastInstrument", slot(onResponse<2>)},
            {"RspError", slot(onError)},
            {"RspSubMarketData", slot(onResponse<3>)},
            {"RspUnSubMarketData", slot(onResponse<4>)},
            {"RspSubForQuoteRsp", slot(onResponse<5>)},
            {"RspUnSubForQuoteRsp", slot(onResponse<6>)},
            {"RtnDepthMarketData", slot(onDepth)},
            {"RtnForQuoteRsp", slot(onQuoteRequest)},
        };
        for (const std::string& method : generation.spi) table_.push_back(known.at(method));
        table_.resize(table_.size() + trapSlots, slot(onTrap));
        object_ = {table_.data(), this};
    }
    Spi(const Spi&) = delete;
    Spi& operator=(const Spi&) = delete;

    void* object() { return &object_; }

private:
    /** What the library sees: an object that begins with the address of its table. */
    struct Object {
        void* const* table;
        Spi* self;
    };
    struct Response {
        const char* event;
        const char* layout;
    };
    static constexpr Response responses[] = {
        {"login", "login"},          {"logout", "logout"},           {"multicast", "multicast"},
        {"subscribed", "instrument"}, {"unsubscribed", "instrument"}, {"quote_subscribed", "instrument"},
        {"quote_unsubscribed", "instrument"}};

    template <typename Function>
    static void* slot(Function function) {
        return reinterpret_cast<void*>(function);
    }

    static void onConnected(Object* object) { object->self->event("connected", ""); }
    static void onDisconnected(Object* object, int reason) {
        object->self->event("disconnected", ",\"reason\":" + std::to_string(reason));
    }
    static void onHeartBeatWarning(Object* object, int) { object->self->event("heartbeat_warning", ""); }
    static void onTrap(Object* object) { object->self->event("trap", ""); }

    template <int which>
    static void onResponse(Object* object, const char* data, const char* info, int requestId, bool last) {
        object->self->response(responses[which], data, info, requestId, last);
    }
    static void onError(Object* object, const char* info, int requestId, bool last) {
        object->self->response({"error", nullptr}, nullptr, info, requestId, last);
    }

    static void onDepth(Object* object, const char* data) {
        object->self->ticks_.fetch_add(1, std::memory_order_relaxed);
        if (!object->self->quiet_) object->self->pushed("tick", "depth", data);
    }
    static void onQuoteRequest(Object* object, const char* data) {
        object->self->pushed("quote_request", "quoteRequest", data);
    }

    void response(const Response& kind, const char* data, const char* info, int requestId, bool last) {
        if (quiet_) return;
        StructCheck check(problems_);
        checkExpired(check, kind.layout, "info");
        std::string rest = ",\"request\":" + std::to_string(requestId) + ",\"last\":" + (last ? "true" : "false");
        if (kind.layout != nullptr) rest += ",\"fields\":" + read(check, kind.layout, data);
        rest += ",\"info\":" + read(check, "info", info);
        event(kind.event, rest);
    }

    void pushed(const char* name, const char* layout, const char* data) {
        StructCheck check(problems_);
        checkExpired(check, layout, nullptr);
        event(name, ",\"fields\":" + read(check, layout, data));
    }

    /** What earlier callbacks handed out is void, but for the kinds that this one hands out anew. */
    void checkExpired(StructCheck& check, const char* first, const char* second) {
        for (const auto& [name, address] : handedOut_) {
            const bool anew = (first != nullptr && name == first) || (second != nullptr && name == second);
            if (!anew && address != nullptr) check.checkExpired(*generation_.find(name), address);
        }
    }

    std::string read(StructCheck& check, const char* name, const char* data) {
        const Struct* layout = generation_.find(name);
        if (layout == nullptr) {
            problems_.push_back(std::string(name) + ": not of this generation");
            return "null";
        }
        handedOut_[name] = data;
        return check.read(*layout, data);
    }

    void event(const char* name, const std::string& rest) {
        const long thread = threadId();
        if (thread == static_cast<long>(getpid())) problems_.push_back("called on the caller's thread");
        if (thread_ != 0 && thread != thread_) problems_.push_back("called on another thread than before");
        thread_ = thread;
        std::string problems;
        for (const std::string& problem : problems_) problems += (problems.empty() ? "" : ",") + quoted(problem);
        problems_.clear();
        print("{\"session\":" + quoted(session_) + ",\"event\":\"" + name + "\"" + rest + ",\"problems\":[" + problems + "]}");
    }

    const std::string session_;
    const Generation& generation_;
    const std::atomic<bool>& quiet_;
    std::atomic<long>& ticks_;
    std::vector<void*> table_;
    Object object_{};

    // Used by the API thread alone.
    long thread_ = 0;
    std::vector<std::string> problems_;
    std::map<std::string, const char*> handedOut_;
};

}  // namespace abi
