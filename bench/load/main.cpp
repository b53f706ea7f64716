// The load generator: any number of WebSocket clients in one thread, which check and time what they receive.
//
// It connects all clients of the plan, subscribes them, says {"event":"ready"} once every client has its answer, and
// then obeys one command per line: `begin` and `end` mark the measured window, `finish` gives the histories and
// ends the program; `count` tells how far it is. The end of its input ends it too.
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "arguments.h"
#include "client.h"
#include "recorder.h"

namespace load {
namespace {

using std::string;
using std::string_view;
using std::vector;

constexpr int eventsPerTurn = 256;
constexpr uint32_t stdinMark = UINT32_MAX;
/** Clients that may be on their way in: the server's queue of connections is finite. */
constexpr int connectingAtOnce = 64;
constexpr string_view peek = R"({"aid":"peek_message"})";

int64_t nowUs() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

/**
 * Clients are other machines: what they receive is to be timed when it comes, not when a program beside this one has used
 * its slice up (src/base/threadPriority.ts; ignored before Linux 6.12).
 */
void useShortSlices() {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes{};
    attributes.size = sizeof(attributes);
    attributes.nice = ::getpriority(PRIO_PROCESS, 0);
    attributes.runtime = 100'000;
    ::syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

vector<vector<string>> readPlan(const string& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    vector<vector<string>> plan;
    for (string line; std::getline(file, line);) {
        vector<string>& ids = plan.emplace_back();
        for (size_t at = 0; at <= line.size();) {
            const size_t end = std::min(line.find(',', at), line.size());
            if (end > at) ids.push_back(line.substr(at, end - at));
            at = end + 1;
        }
    }
    if (plan.empty()) throw std::runtime_error(path + " is empty");
    return plan;
}

/** The frame that subscribes to all of `ids`. */
string subscription(const vector<string>& ids, bool aid) {
    string text = aid ? R"({"aid":"subscribe_quote","ins_list":")" : R"({"action":"subscribe","instruments":[")";
    for (size_t i = 0; i < ids.size(); ++i) text += (i == 0 ? "" : aid ? "," : "\",\"") + ids[i];
    return text + (aid ? "\"}" : "\"]}");
}

class Generator {
public:
    Generator(const Arguments& arguments, vector<vector<string>> plan)
        : arguments_(arguments), plan_(std::move(plan)), recorder_(arguments, plan_) {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        watch(STDIN_FILENO, stdinMark);
        clients_.reserve(plan_.size());
        answered_.resize(plan_.size());
    }

    void run() {
        epoll_event events[eventsPerTurn];
        while (!finished_) {
            while (clients_.size() < plan_.size() && clients_.size() - answers_ < connectingAtOnce) connectNext();
            const int count = ::epoll_wait(epoll_, events, eventsPerTurn, -1);
            if (count < 0 && errno != EINTR) throw std::runtime_error(std::strerror(errno));
            if (arguments_.slowUs > 0) ::usleep(static_cast<useconds_t>(arguments_.slowUs));
            for (int i = 0; i < count; ++i) {
                if (events[i].data.u32 == stdinMark) obey();
                else serve(events[i].data.u32);
            }
        }
    }

private:
    void watch(int descriptor, uint32_t mark) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u32 = mark;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    }

    void connectNext() {
        const auto index = static_cast<uint32_t>(clients_.size());
        clients_.emplace_back(arguments_.port, arguments_.aid);
        watch(clients_.back().descriptor(), index);
    }

    void serve(uint32_t index) {
        Client& client = clients_[index];
        const bool wasUpgraded = client.upgraded();
        const size_t bytes = client.read(buffer_, [&, now = int64_t{0}](string_view frame) mutable {
            // One time for all that one read has brought: it was there to be taken at this moment.
            if (now == 0) now = nowUs();
            heard(index, frame, now);
        });
        recorder_.bytes += bytes;
        if (bytes > 0) ++recorder_.reads;
        if (!wasUpgraded && client.upgraded()) client.send(subscription(plan_[index], arguments_.aid));
        if (client.closed()) {
            ::epoll_ctl(epoll_, EPOLL_CTL_DEL, client.descriptor(), nullptr);
            answered(index);
            ++lost_;
        }
    }

    void heard(uint32_t index, string_view frame, int64_t now) {
        Sighting sighting{};
        const int client = static_cast<int>(index);
        if (!arguments_.aid) {
            if (readPush(frame, sighting)) recorder_.take(client, sighting, now);
            else answered(index);
            return;
        }
        QuoteReader quotes(frame);
        if (!quotes.isAnswer()) {
            answered(index);
            clients_[index].send(peek);
            return;
        }
        while (quotes.next(sighting)) recorder_.take(client, sighting, now);
        // The greeting comes unasked, before the subscription has been answered.
        if (answered_[index]) clients_[index].send(peek);
    }

    void answered(uint32_t index) {
        if (answered_[index]) return;
        answered_[index] = true;
        if (++answers_ == plan_.size()) say(R"({"event":"ready"})");
    }

    void obey() {
        char bytes[256];
        const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
        if (count <= 0) {
            finished_ = true;
            return;
        }
        commands_.append(bytes, static_cast<size_t>(count));
        for (size_t end; (end = commands_.find('\n')) != string::npos; commands_.erase(0, end + 1)) {
            const string command = commands_.substr(0, end);
            if (command == "begin") recorder_.begin(nowUs());
            else if (command == "end") say(recorder_.end(nowUs()));
            else if (command == "count") sayCounts();
            else if (command == "finish") finish();
            else throw std::runtime_error("unknown command " + command);
        }
    }

    void sayCounts() {
        say(R"({"event":"counts","received":)" + std::to_string(recorder_.received()) + R"(,"silent":)" +
            std::to_string(recorder_.silentStreams()) + R"(,"missing":)" + std::to_string(recorder_.missing()) + "}");
    }

    void finish() {
        say(recorder_.finish(static_cast<int>(clients_.size()) - lost_));
        finished_ = true;
    }

    void say(const string& line) {
        std::cout << line << std::endl;
    }

    const Arguments& arguments_;
    vector<vector<string>> plan_;
    Recorder recorder_;
    vector<Client> clients_;
    vector<bool> answered_;
    size_t answers_ = 0;
    int lost_ = 0;
    int epoll_ = -1;
    string buffer_;
    string commands_;
    bool finished_ = false;
};

}  // namespace
}  // namespace load

int main(int count, char** values) {
    try {
        const load::Arguments arguments = load::parseArguments(count, values);
        rlimit files{};
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
        load::useShortSlices();
        load::Generator(arguments, load::readPlan(arguments.plan)).run();
        return 0;
    } catch (const std::invalid_argument& error) {
        std::cerr << "load: " << error.what() << "\n" << load::usage;
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "load: " << error.what() << "\n";
        return 1;
    }
}
