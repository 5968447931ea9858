// Bytes to store: different at every place and for every length, and the same in every run.
#pragma once
#include <cstdint>
#include <string>

namespace outcrop::selftest {

inline std::string sample(std::size_t size) {
  std::string out(size, '\0');
  std::uint64_t state = size * 0x9e3779b97f4a7c15ULL + 1;
  for (char& c : out) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    c = static_cast<char>(state);
  }
  return out;
}

}  // namespace outcrop::selftest
