// Which worker (core) the current thread is. Per-worker state is a vector indexed by this.
#pragma once

namespace outcrop {

/// 0 on threads that are not workers and in single-threaded simulation.
unsigned worker_index();
/// Called once by each worker thread before it runs its io_context.
void set_worker_index(unsigned index);

}  // namespace outcrop
