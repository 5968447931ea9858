// Threads that may hang in the kernel for ever: nothing can join them. They own all they touch, and
// count themselves where somebody has to know that they have ended. Internal.
#pragma once
#include <thread>
#include <utility>

namespace outcrop::io {

template <class Body>
void start_lone_thread(Body body) {
  std::thread(std::move(body)).detach();
}

}  // namespace outcrop::io
