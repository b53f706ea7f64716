// The API thread of a session.
#pragma once
#include <memory>
#include <thread>

#include "session.h"

namespace sim {

/** Serves a session's fronts from `begin` until `end`. One that was begun is ended before it is destroyed. */
class SessionThread {
public:
    /** Starts the thread, which keeps the session alive as long as it runs. A second call does nothing. */
    void begin(const std::shared_ptr<Session>& session);

    /**
     * Stops the session and waits for the thread, unless called from inside one of its callbacks or the environment
     * says otherwise (QACTPMD_SIM_RELEASE_JOINS=0): then the thread ends by itself soon after.
     */
    void end(Session& session);

private:
    std::thread thread_;
};

}  // namespace sim
