// What differs between the versions of the vendor's library, as one table.
#pragma once

#include <string>

#include "vendor_abi.h"

namespace qb {

// Which factory a library exports, by its flags: (udp), (udp, multicast), (udp, multicast, production).
enum class Factory { none, b, bb, bbb };

// Which orders of the vendor's two classes: 2013; A up to 6.3.15; B after it.
enum class Abi { year2013, a, b };

// What the bridge must know about a library to understand it.
struct Layout {
  Abi abi;
  Factory factory;                // the factory that this group of versions exports
  vendor::Text depthInstrument;   // instrument id in a tick
  vendor::Text answerInstrument;  // instrument id in a subscription's answer
  bool actionDay;                 // the tick has a natural date
  bool banding;                   // the tick ends with the banding prices
};

struct LayoutChoice {
  const Layout *layout = nullptr;  // null: refused, see text
  std::string text;                // why it is refused, or a warning
};

// Chooses by the text of GetApiVersion (null: there is none) and by the factory that was found. `asserted`: the
// version that the user says it is, such as "6.6.9" or "2013", which counts for more than either; empty otherwise.
LayoutChoice chooseLayout(const char *versionText, Factory factory, const std::string &asserted);

}  // namespace qb
