#include "storage/engine/periodic.h"

#include <boost/asio/redirect_error.hpp>

#include "storage/base/assert.h"
#include "storage/base/log.h"

namespace outcrop::engine {

Periodic::~Periodic() { OUTCROP_ASSERT(!x_runs); }

void Periodic::start() {
  x_runs = true;
  asio::co_spawn(x_ex, loop(), [this](std::exception_ptr thrown) {
    x_runs = false;
    if (thrown) {
      std::rethrow_exception(thrown);
    }
    if (x_stopped) {
      x_stopped(ok());
    }
  });
}

Async<> Periodic::loop() {
  for (;;) {
    x_timer.expires_after(x_pause);
    boost::system::error_code interrupted;
    co_await x_timer.async_wait(asio::redirect_error(use_async, interrupted));
    if (x_stopping) {
      co_return;
    }
    if (const auto done = co_await x_step(); !done && done.error().code() != Errc::cancelled) {
      log::warn(x_what, {{"error", done.error().describe()}});
    }
  }
}

Task<> Periodic::stop() {
  x_stopping = true;
  if (x_runs) {
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) {
      x_stopped = std::move(r);
      x_timer.cancel();
    }));
  }
  co_return ok();
}

}  // namespace outcrop::engine
