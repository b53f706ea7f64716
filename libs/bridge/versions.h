// What differs between the versions of the vendor's library, as one table.
#pragma once

#include <string>

#include "vendor_abi.h"

namespace qb {

enum class Factory { none, b, bb, bbb };

// What the bridge must know about a library to call it.
struct Layout {
  const char *name;               // first version of the group
  bool spiB;                      // order of the callback class
  Factory factory;                // which factory this group exports
  vendor::Text depthInstrument;   // instrument id in a tick
  vendor::Text answerInstrument;  // instrument id in a subscription's answer
  bool banding;                   // the tick ends with the banding prices
};

struct LayoutChoice {
  const Layout *layout = nullptr;  // null: refused, see text
  std::string text;                // why it is refused, or a warning
};

// Chooses by the text of GetApiVersion and by the factory that was found.
LayoutChoice chooseLayout(const char *versionText, Factory factory);

}  // namespace qb
