// The API thread of a session.
#pragma once
#include <memory>

#include "session.h"

namespace sim {

/** Starts the thread: it serves the session's fronts until the session is to stop, and keeps it alive so long. */
void beginSession(const std::shared_ptr<Session>& session);

/**
 * Stops the session and waits for its thread, unless called from inside one of its callbacks or the environment
 * says otherwise (QACTPMD_SIM_RELEASE_JOINS=0).
 */
void endSession(const std::shared_ptr<Session>& session);

}  // namespace sim
