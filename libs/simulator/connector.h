// Finds a front: connects to all addresses at once, the first to accept wins.
#pragma once
#include <string>
#include <vector>

namespace sim {

/**
 * A connected, non-blocking socket, or -1 when none of `addresses` (tcp://host:port, tcp6://address:port) accepted
 * within the time or `wakeDescriptor` became readable first.
 */
int connectToFirst(const std::vector<std::string>& addresses, int wakeDescriptor, int timeoutMs);

}  // namespace sim
