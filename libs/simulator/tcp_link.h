// A session over TCP: connects to the first front that accepts, reconnects by itself, and turns frames into callbacks.
//
// As the vendor's does: OnFrontConnected as soon as TCP is accepted; after the peer's close an immediate new attempt;
// while nobody accepts, an attempt every five seconds; nonsense from the peer ends the connection with reason 0x2003.
#pragma once
#include "session.h"

namespace sim {

/** Runs a session on its registered fronts until it is stopped. */
void runTcp(Session& session);

}  // namespace sim
