// All byte-range locks of one file, of all owners, so that a conflict is found in O(log n): a treap
// by first byte that knows the greatest last byte below each node. Not thread-safe: the file's
// shard guards it.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace outcrop::nfs {

struct LockState;

class RangeIndex {
 public:
  struct Entry {
    std::uint64_t first = 0, last = 0;  ///< inclusive
    LockState* state = nullptr;
  };

  RangeIndex() = default;
  RangeIndex(const RangeIndex&) = delete;

  bool empty() const { return !x_root; }
  void insert(Entry entry) {
    auto node = std::make_unique<Node>();
    node->entry = entry;
    node->priority = next_priority();
    node->update();
    auto [low, high] = split(std::move(x_root), key(entry));
    x_root = merge(merge(std::move(low), std::move(node)), std::move(high));
  }
  /// The entry that was inserted with this first byte and state.
  void erase(std::uint64_t first, LockState* state) {
    const Key gone{first, state};
    auto [low, rest] = split(std::move(x_root), gone);
    x_root = merge(std::move(low), drop_first(std::move(rest), gone));
  }
  /// The first entry, by first byte, that overlaps [first, last] and for which `wanted(state)`.
  template <class Wanted>
  const Entry* find(std::uint64_t first, std::uint64_t last, const Wanted& wanted) const {
    return find(x_root.get(), first, last, wanted);
  }

 private:
  using Key = std::pair<std::uint64_t, LockState*>;
  struct Node;
  using NodePtr = std::unique_ptr<Node>;
  struct Node {
    Entry entry;
    std::uint64_t max_last = 0;  ///< of this node and all below
    std::uint64_t priority = 0;
    NodePtr left, right;
    void update() {
      max_last = entry.last;
      if (left) {
        max_last = std::max(max_last, left->max_last);
      }
      if (right) {
        max_last = std::max(max_last, right->max_last);
      }
    }
  };

  static Key key(const Entry& e) { return {e.first, e.state}; }
  std::uint64_t next_priority() {
    x_seed ^= x_seed << 13;
    x_seed ^= x_seed >> 7;
    x_seed ^= x_seed << 17;
    return x_seed;
  }
  /// Nodes before `at`, and the others.
  static std::pair<NodePtr, NodePtr> split(NodePtr node, const Key& at) {
    if (!node) {
      return {};
    }
    if (key(node->entry) < at) {
      auto [low, high] = split(std::move(node->right), at);
      node->right = std::move(low);
      node->update();
      return {std::move(node), std::move(high)};
    }
    auto [low, high] = split(std::move(node->left), at);
    node->left = std::move(high);
    node->update();
    return {std::move(low), std::move(node)};
  }
  static NodePtr merge(NodePtr low, NodePtr high) {
    if (!low || !high) {
      return low ? std::move(low) : std::move(high);
    }
    if (low->priority > high->priority) {
      low->right = merge(std::move(low->right), std::move(high));
      low->update();
      return low;
    }
    high->left = merge(std::move(low), std::move(high->left));
    high->update();
    return high;
  }
  /// Without its first node if that is `gone`.
  static NodePtr drop_first(NodePtr node, const Key& gone) {
    if (!node) {
      return node;
    }
    if (node->left) {
      node->left = drop_first(std::move(node->left), gone);
      node->update();
      return node;
    }
    return key(node->entry) == gone ? std::move(node->right) : std::move(node);
  }
  template <class Wanted>
  static const Entry* find(const Node* node,
                           std::uint64_t first,
                           std::uint64_t last,
                           const Wanted& wanted) {
    while (node != nullptr && node->max_last >= first) {
      if (const Entry* e = find(node->left.get(), first, last, wanted)) {
        return e;
      }
      if (node->entry.first > last) {
        return nullptr;
      }
      if (node->entry.last >= first && wanted(*node->entry.state)) {
        return &node->entry;
      }
      node = node->right.get();
    }
    return nullptr;
  }

  NodePtr x_root;
  std::uint64_t x_seed = 0x9e37'79b9'7f4a'7c15;
};

}  // namespace outcrop::nfs
