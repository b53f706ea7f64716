// `sim://?rate=N&seed=S`: a front inside the library. N ticks per second in all, shared evenly by the session's
// subscribed instruments (at most 1000 per instrument); any login is accepted, every known id is listed. `each=R` gives
// every instrument a rate of its own, `arrivals=poisson` or `burst` another distribution, and `bench_start=US` the bench
// encoding, as the simulated fronts' options of these names do.
#pragma once
#include <string>
#include <string_view>

#include "session.h"

namespace sim {

bool isGeneratorAddress(std::string_view address);

/** Runs a session on generated ticks until it is stopped. */
void runGenerator(Session& session, const std::string& address);

}  // namespace sim
