// XXH3 for processors with AVX2, which is faster here than AVX-512.
#include "storage/digest/xxh_body.h"

namespace outcrop::digest {

extern const XxhKernel kXxhAvx2 = {xxh_one,     xxh_many,   xxh3_reset,
                                   xxh3_update, xxh3_value, xxh3_value128};

}  // namespace outcrop::digest
