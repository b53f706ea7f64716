// Drives vendor libraries of any generation on command. A line on stdin is `SESSION COMMAND WORDS…`, the first command
// of a session is `open LIBRARY GENERATION`; answers and callbacks are lines of JSON on stdout. The client knows the
// vendor's interface from layouts.json alone: abi_client LAYOUTS.
#include <exception>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <thread>

#include "instance.h"

namespace {

using abi::Instance;
using Words = std::vector<std::string>;

constexpr int notCreated = -100;
constexpr int unknownCommand = -101;
constexpr int notLoaded = -103;
constexpr useconds_t stormStepUs = 300;
constexpr useconds_t threadWaitUs = 1000;
constexpr int threadWaits = 5000;

/** Creates, uses from two threads, and releases objects in quick succession, each at another moment of its life. */
void storm(Instance& instance, const std::string& flow, const std::string& address, int rounds) {
    for (int round = 0; round < rounds; ++round) {
        instance.create(flow);
        instance.registerSpi(true);
        instance.registerFront(address);
        instance.call<void>("Init");
        std::thread other([&instance, round] {
            for (int step = 0; step < round % 5; ++step) {
                instance.subscribe("SubscribeMarketData", {"au2612", "MA701"});
                usleep(stormStepUs);
            }
        });
        for (int step = 0; step < round % 7; ++step) {
            usleep(stormStepUs);
            instance.login({"9999", "storm"});
            instance.subscribe("SubscribeMarketData", {"rb2701", "IF2612", "none"});
            instance.subscribe("UnSubscribeMarketData", {"rb2701"});
            if (step % 3 == 2) instance.registerSpi(false);
            if (step % 3 == 1) instance.registerSpi(true);
        }
        other.join();
        instance.release();
    }
}

const abi::Generation& generationOf(const std::vector<abi::Generation>& all, const std::string& id) {
    for (const abi::Generation& generation : all) {
        if (generation.id == id) return generation;
    }
    throw std::runtime_error("no such generation: " + id);
}

/** Runs a command on a created object. */
int use(Instance& instance, const std::string& command, const Words& words) {
    if (command == "spi") instance.registerSpi(words.at(0) == "on");
    else if (command == "front") instance.registerFront(words.at(0));
    else if (command == "fens") instance.registerFens();
    else if (command == "init") instance.call<void>("Init");
    else if (command == "login") return instance.login(words);
    else if (command == "logout") return instance.logout(words);
    else if (command == "subscribe") return instance.subscribe("SubscribeMarketData", words);
    else if (command == "unsubscribe") return instance.subscribe("UnSubscribeMarketData", words);
    else if (command == "subscribe_quote") return instance.subscribe("SubscribeForQuoteRsp", words);
    else if (command == "unsubscribe_quote") return instance.subscribe("UnSubscribeForQuoteRsp", words);
    else if (command == "multicast") return instance.queryMulticast();
    else if (command == "day") return std::stoi(instance.call<const char*>("GetTradingDay"));
    else if (command == "join") return instance.call<int>("Join");
    else if (command == "release") instance.release();
    else return unknownCommand;
    return 0;
}

int run(Instance& instance, const std::string& command, const Words& words) {
    if (command == "create") instance.create(words.at(0));
    else if (command == "quiet") instance.quiet = words.at(0) == "on";
    else if (command == "count") return static_cast<int>(instance.ticks.exchange(0));
    else if (command == "storm") storm(instance, words.at(0), words.at(1), std::stoi(words.at(2)));
    else return instance.created() ? use(instance, command, words) : notCreated;
    return 0;
}

size_t entries(const char* folder) {
    const auto all = std::filesystem::directory_iterator(folder);
    return static_cast<size_t>(std::distance(begin(all), end(all)));
}
size_t threads() {
    return entries("/proc/self/task");
}
size_t descriptors() {
    return entries("/proc/self/fd");
}

/** Whether the libraries' threads are gone, at once or, where Release does not wait for them, soon. */
bool threadsEnd([[maybe_unused]] size_t before) {
#ifdef __SANITIZE_THREAD__
    return true;   // it has a thread of its own, and reports leaked ones by itself
#else
    for (int waited = 0; threads() > before; ++waited) {
        if (waited == threadWaits) return false;
        usleep(threadWaitUs);
    }
    return true;
#endif
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: abi_client LAYOUTS\n";
        return 2;
    }
    const size_t threadsBefore = threads();
    const size_t descriptorsBefore = descriptors();
    const std::vector<abi::Generation> generations = abi::readGenerations(argv[1]);
    // Never freed: where Release does not wait for the library's thread, callbacks come until the process ends.
    static auto& instances = *new std::map<std::string, std::unique_ptr<Instance>>;
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream in(line);
        std::string session, command, word;
        in >> session >> command;
        Words words;
        while (in >> word) words.push_back(word);

        std::string answer = "{\"session\":" + abi::quoted(session) + ",\"returned\":" + abi::quoted(command);
        try {
            if (command == "open") {
                const abi::Generation& generation = generationOf(generations, words.at(1));
                auto instance = std::make_unique<Instance>(session, words.at(0), generation);
                const char* error = instance->loaded() ? nullptr : dlerror();
                answer += error == nullptr ? ",\"code\":0" + instance->description()
                                           : ",\"code\":" + std::to_string(notLoaded) + ",\"text\":" + abi::quoted(error);
                if (error == nullptr) instances[session] = std::move(instance);
            } else {
                answer += ",\"code\":" + std::to_string(run(*instances.at(session), command, words));
            }
        } catch (const std::exception& error) {
            answer += ",\"threw\":" + abi::quoted(error.what());
        }
        abi::print(answer + "}");
    }
    for (auto& [name, instance] : instances) {
        if (instance->created()) instance->release();
    }
    const bool threadLeft = !threadsEnd(threadsBefore);
    const bool descriptorLeft = descriptors() > descriptorsBefore;
    if (threadLeft) std::cerr << "a library left a thread behind\n";
    if (descriptorLeft) std::cerr << "a library left a descriptor behind\n";
    return threadLeft || descriptorLeft ? 1 : 0;
}
