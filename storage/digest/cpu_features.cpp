#include "storage/digest/cpu_features.h"

namespace outcrop::digest {

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = [] {
    CpuFeatures f;
#if defined(__x86_64__)
    __builtin_cpu_init();
    f.pclmul = __builtin_cpu_supports("pclmul") != 0;
    f.avx2 = __builtin_cpu_supports("avx2") != 0;
    f.avx512 = __builtin_cpu_supports("avx512f") != 0;
    f.vpclmul = f.avx512 && __builtin_cpu_supports("avx512dq") != 0 &&
                __builtin_cpu_supports("vpclmulqdq") != 0;
#endif
    return f;
  }();
  return features;
}

}  // namespace outcrop::digest
