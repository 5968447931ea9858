// Draws operations of several clients of both protocols that fit the state of a model: mostly such
// as succeed, some that must fail.
#pragma once
#include <random>

#include "tests/property/cross_model.h"

namespace outcrop::test {

class CrossGenerator {
 public:
  /// One seed in five makes paths that are too long for keys.
  CrossGenerator(std::uint64_t seed, ns::FileId root)
      : x_random(seed), x_root(root), x_long(seed % 5 == 0) {}

  Op next(const CrossModel& model);
  /// Two that may run at the same time.
  std::pair<Op, Op> pair(const CrossModel& model);
  std::uint64_t pick(std::uint64_t n) { return x_random() % n; }

 private:
  // cross_generator_keys.cpp
  std::string component();
  std::string fresh_key();
  std::string some_key();
  std::string some_prefix();
  std::string some_data();
  ns::Conditions some_conditions(const std::string& key);
  ns::ObjectAttributes some_attributes();
  bool draw_key(Op& op);
  bool draw_upload(Op& op);
  bool draw_list(Op& op);
  bool draw_rename_key(Op& op);
  bool draw_complete(Op& op);

  // cross_generator.cpp
  bool draw(Op& op);
  OpKind some_kind();
  ns::FileId id(InodeId ino) const { return {x_root.root, ino}; }
  InodeId some_inode(bool (*wanted)(const Node&));
  ns::FileId some_directory();
  ns::FileId some_file();
  std::string some_name(ns::FileId directory);
  std::string new_name();
  ns::SetAttributes some_set(bool with_size);
  bool draw_names(Op& op);
  bool draw_page(Op& op);
  bool draw_data(Op& op);
  bool draw_set_attributes(Op& op);
  bool draw_range(Op& op);
  bool draw_xattr(Op& op);
  bool draw_open(Op& op);

  std::mt19937_64 x_random;
  const ns::FileId x_root;
  const CrossModel* x_model = nullptr;
  std::vector<std::pair<std::string, std::string>> x_uploads;  ///< that were ever seen: id, key
  bool x_pairing = false;
  const bool x_long;
};

}  // namespace outcrop::test
