// OUTCROP_ASSERT: broken invariants stop the process, in release builds too. Never for input or
// on-disk bytes: those are values (Errc::invalid_argument, Errc::corrupt).
#pragma once

namespace outcrop {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
}

#define OUTCROP_ASSERT(x)                                  \
  do {                                                     \
    if (!(x)) [[unlikely]] {                               \
      ::outcrop::assertion_failed(#x, __FILE__, __LINE__); \
    }                                                      \
  } while (false)
