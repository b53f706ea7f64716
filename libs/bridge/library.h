#pragma once

#include <string>

#include "versions.h"

namespace qb {

// One vendor library, opened once per process and never closed.
struct Library {
  std::string path;  // resolved
  std::string version;
  std::string warning;  // empty if the version is a verified one
  const Layout *layout = nullptr;
  void *create = nullptr;

  // May throw whatever the vendor throws.
  vendor::Api *createApi(const char *flowPath) const;
};

// The library at this path, opened on first use. Null with the reason in `error`.
const Library *openLibrary(const char *path, std::string &error, int &handle);
const Library *libraryAt(int handle);

}  // namespace qb
