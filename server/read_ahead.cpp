#include "server/read_ahead.h"

namespace outcrop::server {

void ReadAhead::start() {
  OUTCROP_ASSERT(!x_running);
  x_running = true;
  x_ready = false;
  asio::co_spawn(x_ex, x_source.next(),
                 [this](std::exception_ptr thrown, Result<std::vector<Buffer>> result) {
                   x_thrown = std::move(thrown);
                   x_result = std::move(result);
                   x_ready = true;
                   if (x_waiter) {
                     x_waiter(ok());
                   }
                 });
}

Task<std::vector<Buffer>> ReadAhead::take() {
  if (!x_ready) {
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_waiter = std::move(r); }));
  }
  x_running = false;
  if (x_thrown) {
    std::rethrow_exception(std::exchange(x_thrown, nullptr));
  }
  co_return std::move(x_result);
}

}  // namespace outcrop::server
