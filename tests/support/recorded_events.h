// An audit sink that keeps what it is told, for tests to look at.
#pragma once
#include <mutex>
#include <string>
#include <vector>

#include "auth/audit/line.h"

namespace outcrop::testing {

class RecordedEvents final : public audit::Sink {
 public:
  void record(const audit::Event& event) override {
    // As a line has it, without the time.
    const std::string body = audit::body_of(event, 0);
    const std::lock_guard lock(x_mutex);
    x_lines.push_back(body.substr(body.find(',') + 1));
  }
  /// What came since the last call.
  std::vector<std::string> take() {
    const std::lock_guard lock(x_mutex);
    return std::exchange(x_lines, {});
  }

 private:
  std::mutex x_mutex;
  std::vector<std::string> x_lines;
};

}  // namespace outcrop::testing
