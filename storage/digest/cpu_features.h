// What this processor can run; asked once, at start.
#pragma once

namespace outcrop::digest {

struct CpuFeatures {
  bool pclmul = false;   ///< carry-less multiply, 128 bits
  bool vpclmul = false;  ///< carry-less multiply on 512-bit registers
  bool avx2 = false;
  bool avx512 = false;  ///< AVX-512 foundation
};

const CpuFeatures& cpu_features();

}  // namespace outcrop::digest
