// What the fault tests share: a model that knows what may be found under each key when an operation
// failed half way, and the judgement over a box after faults, a power cut, and the loss of drives.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "tests/support/sim_engine.h"

namespace outcrop::test {

std::uint64_t number_in(const char* variable, std::uint64_t otherwise);
/// Every n-th of a test's cases is run; 1 in the full run (OUTCROP_FAULT_STRIDE).
std::uint64_t fault_stride(std::uint64_t otherwise);

using Contents = std::map<std::string, std::string>;

/// What may be found: by key the contents that are right, empty for "no such key". An operation
/// that was acknowledged leaves one; one that failed adds what it would have left.
class Expected {
 public:
  void put(const std::string& key, const std::string& content, bool acked);
  void remove(const std::string& key, bool acked);
  /// A rename: both keys change or none does. The source must not be in doubt.
  void move(const std::string& from, const std::string& to, bool acked);
  const std::string& certain(const std::string& key) const;
  /// The key is there, whatever it holds of what it may.
  void never_gone(const std::string& key);
  /// What was found is what was done: nothing is in doubt any more.
  void settle(const Contents& found);

  /// From now on what is replaced or removed stays: it must be found as a version of its key.
  void keep_versions() { x_keeping = true; }

  /// Empty if `found` is right, else what is wrong with it.
  std::string judge(const Contents& found) const;

 private:
  using Choice = std::optional<std::string>;
  void set(const std::string& key, Choice content, bool acked);
  std::string judge_versions(const Contents& found) const;
  std::map<std::string, std::vector<Choice>> x_keys;
  std::map<std::string, std::set<std::string>> x_kept;  ///< by key, what must be among its versions
  std::map<std::string, std::set<std::string>> x_had;   ///< and what may be
  bool x_keeping = false;
  struct Move {
    std::string from, to;
  };
  std::vector<Move> x_moves;  // in doubt
};

/// Operations on an engine, and their record in an Expected.
class Client {
 public:
  Client(SimEngine& engine, Expected& expected) : x_engine(engine), x_expected(expected) {}
  void put(const std::string& key, const std::string& content);
  void multipart(const std::string& key, const std::vector<std::string>& parts);
  void copy(const std::string& from, const std::string& to);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& key);
  /// Through the file view, and committed.
  void write(const std::string& key, std::uint64_t offset, const std::string& data);
  void enable_versions();
  /// Reads everything; an error is none of the data's, wrong bytes are.
  void read_all();

  SimEngine& engine() { return x_engine; }
  Expected& expected() { return x_expected; }
  const std::string& problem() const { return x_problem; }

 private:
  SimEngine& x_engine;
  Expected& x_expected;
  std::string x_problem;
};

/// Objects of every shape, some deleted and overwritten, so that segments hold garbage.
void populate(Client& client);

/// Opens the world in a new process and reads everything: empty if that is right.
std::string judge_world(io::SimWorld& world, const Expected& expected, std::uint64_t seed);
/// The same for a copy after a power cut that lost these drives.
std::string judge_without(const io::SimWorld& world,
                          const std::set<unsigned>& lost,
                          const Expected& expected,
                          std::uint64_t seed);

/// By slot, which is the drive's number unless drives were removed.
bool is_live(SimEngine& engine, unsigned slot);

}  // namespace outcrop::test
