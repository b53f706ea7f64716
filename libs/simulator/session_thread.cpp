#include "session_thread.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "generator_link.h"
#include "tcp_link.h"

namespace sim {
namespace {

/** "0" makes Release return without waiting for the API thread; which of the two the vendor does is not known. */
constexpr char releaseJoinsVariable[] = "QACTPMD_SIM_RELEASE_JOINS";

/** Set in an API thread to its session, so that Release inside a callback does not wait for itself. */
thread_local const Session* ownSession = nullptr;

void runSession(const std::shared_ptr<Session>& session) {
    ownSession = session.get();
    const std::vector<std::string> fronts = session->fronts();
    const auto generator = std::find_if(fronts.begin(), fronts.end(), isGeneratorAddress);
    if (generator != fronts.end()) runGenerator(*session, *generator);
    else runTcp(*session);
    // The vendor reports the end of a released connection with reason 0 to a Spi that is still registered.
    if (session->isConnected()) session->disconnected(0);
    session->threadEnds();
}

}  // namespace

void beginSession(const std::shared_ptr<Session>& session) {
    session->threadBegins();
    std::thread([session] { runSession(session); }).detach();
}

void endSession(const std::shared_ptr<Session>& session) {
    session->stop();
    const char* joins = std::getenv(releaseJoinsVariable);
    if (ownSession != session.get() && (joins == nullptr || std::strcmp(joins, "0") != 0)) session->join();
}

}  // namespace sim
