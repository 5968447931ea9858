// Ends a run early from the outside: time is up, or the user wants no more. On one thread.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace outcrop::selftest {

class Stopper {
 public:
  /// Makes what is pending fail. Holds until clear_actions().
  void on_stop(std::function<void()> action) { x_actions.push_back(std::move(action)); }
  void clear_actions() { x_actions.clear(); }
  void stop(std::string why) {
    x_why = std::move(why);
    for (const auto& action : x_actions) {
      action();
    }
  }
  bool stopped() const { return !x_why.empty(); }
  const std::string& why() const { return x_why; }
  /// For cleaning up, which has time of its own.
  void go_on() { x_why.clear(); }

 private:
  std::string x_why;
  std::vector<std::function<void()>> x_actions;
};

}  // namespace outcrop::selftest
