// The simulator's two clocks.
#pragma once
#include <chrono>
#include <cstdint>

namespace sim {

/** ms since the epoch: the step of the model. */
inline int64_t nowMs() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/** For intervals; does not follow changes of the system's time. */
inline int64_t monotonicMs() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace sim
