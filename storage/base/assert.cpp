#include "storage/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace outcrop {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "outcrop: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace outcrop
