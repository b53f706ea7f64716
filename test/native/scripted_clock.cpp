// A clock for a process under test, to be preloaded into it. The file that QACTPMD_TEST_CLOCK names says what time
// of day it is; it can be changed at any moment. All other clocks are the machine's. In the byte order of the machine:
//
//   0   i64   which of the two scripts that follow holds
//   8   i64   origin, in ns on the monotonic clock
//   16  f64   ms since the epoch at the origin
//   24  the second script
//
// Who changes it writes the script that does not hold, and then the number.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

constexpr int64_t nsPerSecond = 1'000'000'000;
constexpr double nsPerMs = 1e6;

using ClockGettime = int (*)(clockid_t, timespec*);

struct Script {
    int64_t originNs;
    double originMs;
};

struct ClockFile {
    int64_t current;
    Script scripts[2];
};

const ClockFile* openFile() {
    const char* path = std::getenv("QACTPMD_TEST_CLOCK");
    const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return nullptr;
    void* mapped = mmap(nullptr, sizeof(ClockFile), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    return mapped == MAP_FAILED ? nullptr : static_cast<const ClockFile*>(mapped);
}

int realClock(clockid_t clock, timespec* time) {
    static const auto next = reinterpret_cast<ClockGettime>(dlsym(RTLD_NEXT, "clock_gettime"));
    return next(clock, time);
}

/** Whether there is a script; the scripted time of day. */
bool scriptedTime(timespec* time) {
    static const ClockFile* const clock = openFile();
    if (clock == nullptr) return false;
    const Script& script = clock->scripts[__atomic_load_n(&clock->current, __ATOMIC_ACQUIRE) & 1];
    timespec now{};
    realClock(CLOCK_MONOTONIC, &now);
    const int64_t passed = now.tv_sec * nsPerSecond + now.tv_nsec - script.originNs;
    const auto ns = static_cast<int64_t>(script.originMs * nsPerMs) + passed;
    time->tv_sec = ns / nsPerSecond;
    time->tv_nsec = ns % nsPerSecond;
    return true;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int clock_gettime(clockid_t clock, timespec* time) {
    const bool isTimeOfDay = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (isTimeOfDay && scriptedTime(time)) return 0;
    return realClock(clock, time);
}

EXPORT int gettimeofday(timeval* time, void*) {
    timespec now{};
    if (!scriptedTime(&now)) realClock(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

EXPORT time_t time(time_t* out) {
    timespec now{};
    if (!scriptedTime(&now)) realClock(CLOCK_REALTIME, &now);
    if (out != nullptr) *out = now.tv_sec;
    return now.tv_sec;
}
