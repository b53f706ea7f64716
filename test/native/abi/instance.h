// One library under test and the Api object that was last created from it.
#pragma once
#include <dlfcn.h>

#include <atomic>
#include <deque>
#include <memory>

#include "guarded_page.h"
#include "spi.h"

namespace abi {

constexpr char factoryPrefix[] = "_ZN15CThostFtdcMdApi15CreateFtdcMdApiEPKc";
constexpr char versionSymbol[] = "_ZN15CThostFtdcMdApi13GetApiVersionEv";
constexpr int mostFactoryBools = 3;

class Instance {
public:
    Instance(const std::string& name, const std::string& path, const Generation& generation)
        : name_(name), generation_(generation), library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {}
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    bool loaded() const { return library_ != nullptr; }
    bool created() const { return api_ != nullptr; }

    /** Number of bools of every factory that the library exports, and its version, as parts of a JSON object. */
    std::string description() const {
        std::string factories;
        for (int bools = 0; bools <= mostFactoryBools + 1; ++bools) {
            if (dlsym(library_, (factoryPrefix + std::string(static_cast<size_t>(bools), 'b')).c_str()) != nullptr) {
                factories += (factories.empty() ? "" : ",") + std::to_string(bools);
            }
        }
        const auto version = reinterpret_cast<const char* (*)()>(dlsym(library_, versionSymbol));
        return ",\"factories\":[" + factories + "],\"version\":" + (version == nullptr ? "null" : quoted(version()));
    }

    /** Lets the library's exception through. */
    void create(const std::string& flowPath) {
        const std::string symbol = factoryPrefix + std::string(static_cast<size_t>(generation_.factoryBools), 'b');
        void* factory = dlsym(library_, symbol.c_str());
        if (factory == nullptr) throw std::runtime_error("no symbol " + symbol);
        const char* flow = flowPath.c_str();
        switch (generation_.factoryBools) {
            case 1: api_ = reinterpret_cast<Api* (*)(const char*, bool)>(factory)(flow, false); break;
            case 2: api_ = reinterpret_cast<Api* (*)(const char*, bool, bool)>(factory)(flow, false, false); break;
            default:
                api_ = reinterpret_cast<Api* (*)(const char*, bool, bool, bool)>(factory)(flow, false, false, true);
        }
        spis_.push_back(std::make_unique<Spi>(name_, generation_, quiet, ticks));
    }

    /** Calls a method by its name; -102 when this generation does not have it. */
    template <typename Result, typename... Arguments>
    Result call(const char* method, Arguments... arguments) {
        const int slot = generation_.slotOf(method);
        if (slot < 0) {
            if constexpr (std::is_same_v<Result, int>) return -102;
            else return Result();
        }
        return reinterpret_cast<Result (*)(Api*, Arguments...)>(api_->table[slot])(api_, arguments...);
    }

    void registerSpi(bool on) { call<void>("RegisterSpi", on ? spis_.back()->object() : nullptr); }
    void registerFront(const std::string& address) {
        GuardedPage text(address.size() + 1);
        std::memcpy(text.data(), address.data(), address.size());
        call<void>("RegisterFront", text.data());
    }
    void release() {
        call<void>("Release");
        api_ = nullptr;
    }

    int login(const std::vector<std::string>& words) {
        return request("ReqUserLogin", "loginRequest", {{"BrokerID", word(words, 0)}, {"UserID", word(words, 1)}}, 7);
    }
    int logout(const std::vector<std::string>& words) {
        return request("ReqUserLogout", "logout", {{"BrokerID", word(words, 0)}, {"UserID", word(words, 1)}}, 8);
    }
    int queryMulticast() { return request("ReqQryMulticastInstrument", "multicastQuery", {}, 9); }
    void registerFens() {
        GuardedPage info(static_cast<size_t>(generation_.find("fens") == nullptr ? 0 : generation_.find("fens")->size));
        call<void>("RegisterFensUserInfo", info.data());
    }

    /** Ids end where a page ends, and so does the list of them. */
    int subscribe(const char* method, const std::vector<std::string>& ids) {
        std::deque<GuardedPage> texts;
        GuardedPage list(ids.size() * sizeof(char*));
        char** pointers = reinterpret_cast<char**>(list.data());
        for (size_t i = 0; i < ids.size(); ++i) {
            GuardedPage& text = texts.emplace_back(ids[i].size() + 1);
            std::memcpy(text.data(), ids[i].data(), ids[i].size());
            pointers[i] = text.data();
        }
        return call<int>(method, pointers, static_cast<int>(ids.size()));
    }

    std::atomic<bool> quiet{false};
    std::atomic<long> ticks{0};

private:
    struct Api {
        void* const* table;
    };

    static std::string word(const std::vector<std::string>& words, size_t index) {
        return index < words.size() ? words[index] : "";
    }

    /** A request in memory of exactly the struct's size. */
    int request(const char* method, const char* name, const std::map<std::string, std::string>& texts, int requestId) {
        const Struct* layout = generation_.find(name);
        if (layout == nullptr) return -102;
        GuardedPage page(static_cast<size_t>(layout->size));
        for (const Field& field : layout->fields) {
            const auto text = texts.find(field.name);
            if (text != texts.end()) text->second.copy(page.data() + field.offset, static_cast<size_t>(field.width - 1));
        }
        return call<int>(method, static_cast<void*>(page.data()), requestId);
    }

    const std::string name_;
    const Generation& generation_;
    void* library_;
    Api* api_ = nullptr;
    std::vector<std::unique_ptr<Spi>> spis_;   // all so far: callbacks may come late
};

}  // namespace abi
