// Produces the next slices of a body while the last ones are being sent: one call ahead, never
// more.
#pragma once
#include <vector>

#include "api/http/message.h"
#include "storage/base/async.h"

namespace outcrop::server {

/// take() must follow every start() before the source or this object goes away.
class ReadAhead {
 public:
  ReadAhead(Executor ex, http::BodySource& source) : x_ex(ex), x_source(source) {}
  ~ReadAhead() { OUTCROP_ASSERT(!x_running); }
  ReadAhead(const ReadAhead&) = delete;

  void start();
  Task<std::vector<Buffer>> take();

 private:
  Executor x_ex;
  http::BodySource& x_source;
  bool x_running = false, x_ready = false;
  std::exception_ptr x_thrown;
  Result<std::vector<Buffer>> x_result;
  Resume<void> x_waiter;
};

}  // namespace outcrop::server
