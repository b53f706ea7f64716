// What differs between the versions of the vendor's library, as one table.
#pragma once

#include <string>

#include "callback_order.h"
#include "vendor_abi.h"

namespace qb {

// How a version lays out its structs, and the factory that it exports.
struct Layout {
  Factory factory;
  vendor::Text depthInstrument;   // instrument id in a tick
  vendor::Text answerInstrument;  // instrument id in a subscription's answer
  bool actionDay;                 // the tick has a natural date
  bool banding;                   // the tick ends with the banding prices
};

struct InterfaceChoice {
  const Layout *layout = nullptr;  // null: refused, see text
  Abi abi = Abi::b;
  std::string text;      // why it is refused, or a warning
  std::string evidence;  // what told the callback order; empty if it was not looked for
};

const char *nameOf(Factory factory);

// Chooses by the text of GetApiVersion (null: there is none) and by what the library exports. `asserted`: the version
// that the user says it is, such as "6.6.9" or "2013", which counts for more than the text; empty otherwise.
InterfaceChoice chooseInterface(const char *versionText, const Exports &exports, const std::string &asserted);

}  // namespace qb
