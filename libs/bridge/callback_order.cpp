#include "callback_order.h"

#include <cstdio>

namespace qb {
namespace {

// Sizes of the request class's vtable: two leading words, then a word per function.
constexpr std::size_t before2013 = 0x60, year2013 = 0x68, early2014 = 0x70, orderA = 0x80, orderB = 0x88;
// No build of order A is later than the first date, none of order B earlier than the second.
constexpr int lastOfOrderA = 20190305, firstOfOrderB = 20190328;
constexpr Version multicastCame{6, 3, 16}, multicastSettled{6, 3, 19}, allOfOrderB{6, 5, 0}, oldest{6, 3, 0};

std::string hexadecimal(std::size_t bytes) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%zx", bytes);
  return text;
}

bool bySize(std::size_t bytes, Abi &abi) {
  switch (bytes) {
    case year2013: abi = Abi::year2013; return true;
    case orderA: abi = Abi::a; return true;
    case orderB: abi = Abi::b; return true;
    default: return false;
  }
}

bool byWord(const SaidVersion &said, Abi &abi, std::string &how) {
  if (said.isYear2013) {
    abi = Abi::year2013;
    how = "it is of 2013";
    return true;
  }
  const auto &[found, version, date] = said.text;
  if (!found || version < oldest) return false;
  if (!(version < allOfOrderB)) {
    abi = Abi::b;
    how = "every version from 6.5.0 on has it";
    return true;
  }
  if (date != 0 && (date <= lastOfOrderA || date >= firstOfOrderB)) {
    abi = date <= lastOfOrderA ? Abi::a : Abi::b;
    how = "its build of " + std::to_string(date);
    return true;
  }
  how = "its version number";
  abi = version < multicastCame ? Abi::a : Abi::b;
  return version < multicastCame || !(version < multicastSettled);
}

}  // namespace

const char *nameOf(Abi abi) {
  switch (abi) {
    case Abi::year2013: return "2013";
    case Abi::a: return "A";
    case Abi::b: break;
  }
  return "B";
}

std::string whyNoOrder(const Exports &exports) {
  const std::string size = " (its request class has " + hexadecimal(exports.requestClassBytes) + " bytes)";
  switch (exports.requestClassBytes) {
    case before2013: return "it is older than 2013" + size + " and is not supported: get a newer CTP library";
    case early2014:
      return "it is of early 2014, or another product than CTP" + size + ", and is not supported: get a newer CTP library";
    default: return "";
  }
}

OrderChoice chooseOrder(const Exports &exports, const SaidVersion &said) {
  OrderChoice choice;
  Abi word = Abi::b;
  std::string how;
  const bool worded = byWord(said, word, how);
  const std::string size = "its request class of " + hexadecimal(exports.requestClassBytes) + " bytes";
  if (bySize(exports.requestClassBytes, choice.abi)) {
    choice.evidence = size;
  } else if (exports.requestClassBytes == 0 && exports.multicastQuery) {
    choice.abi = Abi::b;
    choice.evidence = "the multicast query that it exports";
  }
  if (!choice.evidence.empty()) {
    choice.known = choice.exported = true;
    if (worded && word != choice.abi) {
      choice.text = std::string("callback order ") + nameOf(choice.abi) + " by " + choice.evidence + ", although " + how +
                    " speaks for order " + nameOf(word);
    }
    return choice;
  }
  const std::string unknown = exports.requestClassBytes == 0 ? "" : size + ", which no known version has";
  if (!worded) {
    choice.text = unknown.empty() ? "neither its exports nor its version tell its callback order" : "it exports " + unknown;
    return choice;
  }
  choice.known = true;
  choice.abi = word;
  choice.evidence = how;
  const bool certain = said.isYear2013 || !(said.text.version < allOfOrderB);
  if (!unknown.empty() || !certain) {
    choice.text = std::string("callback order ") + nameOf(word) + " by " + how + " alone: " +
                  (unknown.empty() ? "what it exports does not tell" : "it exports " + unknown);
  }
  return choice;
}

}  // namespace qb
