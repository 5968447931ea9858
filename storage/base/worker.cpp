#include "storage/base/worker.h"

namespace outcrop {
namespace {
thread_local unsigned t_index = 0;
}

unsigned worker_index() { return t_index; }
void set_worker_index(unsigned index) { t_index = index; }

}  // namespace outcrop
