// XXH3 for every processor the build runs on.
#include "storage/digest/xxh_body.h"

namespace outcrop::digest {

extern const XxhKernel kXxhBaseline = {xxh_one, xxh_many};

}  // namespace outcrop::digest
