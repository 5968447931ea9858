// What two protocols must show of one tree (docs/guide/nfs.md, "What a file client sees", and
// docs/adr/0003-nfs.md): the reference of the cross-protocol model test. Directories are ordered
// maps, contents are strings. judge() takes an operation and its answer, says what is wrong with it
// and goes on to the state behind it. What the model cannot know ahead (inode numbers, times,
// change attributes, ETags of what files clients wrote) is taken from the first answer that shows
// it, and every later answer is held to it. A value: a copy is a state to come back to.
#pragma once
#include <map>
#include <memory>
#include <set>

#include "tests/property/cross_op.h"
#include "tests/property/namespace_model.h"

namespace outcrop::test {

using NodeId = std::uint32_t;
using Content = std::shared_ptr<const std::string>;

/// A time that is known to lie within a range.
struct TimeRange {
  std::int64_t from = INT64_MIN, to = INT64_MAX;
};

/// How much is known of an ETag.
enum class EtagState : std::uint8_t {
  known,
  fresh,   ///< the content changed: it is a new one
  either,  ///< the old one or a new one
  any,     ///< after a crash
};

struct Node {
  ns::FileType type = ns::FileType::regular;
  InodeId ino = 0;  ///< 0: nobody has seen it
  std::uint32_t mode = 0, uid = ns::kNoOwner, gid = ns::kNoOwner;
  TimeRange mtime{};
  /// What S3 says, where it may be another: a copy has the file's mtime and is modified now.
  std::optional<TimeRange> modified{};
  std::uint64_t change = 0;  ///< as seen last
  std::int64_t ctime = 0;
  bool moved = true, ctime_moved = true;  ///< since then
  std::map<std::string, std::string> xattrs{};

  // Of a directory: its names carry a '/' behind those of directories.
  std::map<std::string, NodeId> entries{};
  NodeId parent = 0;
  std::string name{};
  bool implicit = false;

  // Of all others.
  unsigned links = 1, holds = 0;
  bool watched = false;  ///< without a name: the background pass takes it when nobody holds it
  std::optional<std::uint64_t> verifier{};
  std::string target{};
  Content content{};
  std::vector<Content> stored{};  ///< what a crash may leave
  bool dirty = false;             ///< perhaps
  bool repacked = false;          ///< perhaps: its pieces are others, and its change moved for that
  EtagState etag_state = EtagState::known;
  std::string etag{};
  std::vector<std::string> past_etags{};
  ns::ObjectAttributes attributes{};
  digest::Checksum checksum{};
  std::vector<ns::PartSummary> parts{};
  std::string upload{};
  std::string lost_upload{};  ///< before the content changed, as long as that is not stored
  std::string old_upload{};   ///< after a crash: perhaps
  bool revived = false;       ///< after a crash: of the content as it was stored, whenever that was

  bool directory() const { return type == ns::FileType::directory; }
  bool regular() const { return type == ns::FileType::regular; }
};

class CrossModel {
 public:
  struct Settings {
    ns::FileId root;
    std::uint64_t min_part_bytes = 0;
    bool exact_times = true;  ///< no directory's times fall out of memory
    /// The bucket has versions: a directory that comes back is the one that it was.
    bool versioned = false;
  };
  explicit CrossModel(const Settings& settings);

  /// Empty: as it must be. Else what is not, and the model is of no use any more.
  std::string judge(const Op& op, const Answer& answer);
  /// Operations that ran at the same time: what an answer shows beside its outcome may be of a
  /// later moment.
  void set_relaxed(bool relaxed) { x_relaxed = relaxed; }
  /// The operations of a pair: relaxed, and what one of them stores may lack what the other wrote.
  void set_at_once(bool at_once) { x_relaxed = x_at_once = at_once; }

  /// After a crash, for a file with data that was not stored: what it has now. As judge().
  std::string survived(InodeId ino, const std::string& content);

  // What the generator looks at.
  const std::map<NodeId, Node>& nodes() const { return x_nodes; }
  const Node& node(NodeId id) const { return x_nodes.at(id); }
  const Node* find(InodeId ino) const;
  const Node* object(const std::string& key) const;  ///< what S3 sees there
  std::vector<std::string> keys() const;             ///< that S3 can see
  std::vector<std::string> paths() const;            ///< of all files, of any length
  std::string path_of(NodeId directory) const;       ///< "x/y/"
  std::string shown(const Node& directory, const std::string& dirent) const;
  /// Whether opening it makes a certain directory explicit: not if it has several names.
  bool may_hold(const Node& node) const;
  const std::vector<InodeId>& gone() const { return x_gone; }
  const std::map<std::string, ModelUpload>& uploads() const { return x_uploads; }
  const std::map<unsigned, NodeId>& holds() const { return x_holds; }
  bool has_reader(unsigned slot) const { return x_readers.contains(slot); }
  const std::map<std::pair<NodeId, std::uint64_t>, std::string>& positions() const {
    return x_positions;
  }
  NodeId root() const { return x_root; }
  NodeId id_of(InodeId ino) const;

 private:
  using Expected = std::optional<Errc>;
  struct Reader {
    Content content;
    std::string etag;
  };

  // cross_model.cpp: the tree.
  void problem(std::string text);
  template <class T, class U>
  void same(std::string_view what, const T& got, const U& wanted);
  bool outcome(const Answer& answer, Expected expected);
  Node& at(NodeId id) { return x_nodes.at(id); }
  NodeId add(ns::FileType type, const Answer& answer);
  NodeId entry(NodeId directory, const std::string& name) const;  ///< 0: none
  NodeId find_directory(std::string_view path) const;
  void touch(NodeId directory, const Answer& answer);
  void changed(Node& node);
  void enter(NodeId directory, const std::string& name, NodeId child);
  void unlink(NodeId directory, const std::string& name);
  void forget(NodeId id);
  void prune(NodeId directory, const Answer& answer);
  void make_explicit(NodeId directory);
  NodeId install_directories(std::string_view path, bool implicit, const Answer& answer);

  // cross_judge.cpp: what an answer shows.
  void see(NodeId id, const ns::FileAttributes& attributes);
  void see_ino(NodeId id, InodeId ino);
  void see_time(TimeRange& range, std::int64_t mtime_ns);
  void see_modified(Node& node, std::int64_t mtime_ns) {
    see_time(node.modified ? *node.modified : node.mtime, mtime_ns);
  }
  static void set_mtime(Node& node, TimeRange range) {
    node.mtime = range;
    node.modified.reset();
  }
  void see_change(Node& node, const ns::FileAttributes& attributes);
  void see_etag(Node& node, const std::string& etag);
  void see_info(NodeId id, const ns::ObjectInfo& info);
  void see_touch(NodeId directory, const ns::DirectoryChange& change, const Answer& answer);
  void see_data(std::string_view what, std::string_view got, std::string_view wanted);
  void settle(Node& node);
  static void forget_upload(Node& node);
  void content_changed(Node& node, std::string content, const Answer& answer);
  void resize(Node& node, std::uint64_t size, const Answer& answer);
  void set_size(Node& node, std::uint64_t size, const Answer& answer);

  // cross_keys.cpp: S3.
  Node* object(const std::string& key);
  static Expected check(const ns::Conditions& conditions, const Node* node);
  NodeId install(const std::string& key, const Answer& answer);
  void judge_key(const Op& op, const Answer& answer);
  void put(const Op& op, const Answer& answer);
  void get(const Op& op, const Answer& answer);
  void remove_key(const Op& op, const Answer& answer);
  void copy(const Op& op, const Answer& answer);
  static void take_file_fields(Node& node, const Node& source, TimeRange now);
  void rename_object(const Op& op, const Answer& answer);
  void rename_prefix(const Op& op, const Answer& answer);
  void list(const Op& op, const Answer& answer);
  void judge_upload(const Op& op, const Answer& answer);
  void part(const Op& op, const Answer& answer);
  void complete(const Op& op, const Answer& answer);

  // cross_names.cpp: directories of files.
  static Expected check_name(const std::string& name);
  static Expected check_new_name(const std::string& name);
  bool shadowed(const Node& directory, const std::string& dirent) const;
  std::optional<std::string> dirent(const Node& directory, const std::string& name) const;
  Expected find_in(const Op& op, NodeId& directory);
  Expected as_directory(InodeId ino, NodeId& directory) const;
  void judge_names(const Op& op, const Answer& answer);
  void lookup(const Op& op, const Answer& answer);
  void read_directory(const Op& op, const Answer& answer);
  void create(const Op& op, const Answer& answer);
  void keep_existing(const Op& op, const Answer& answer, NodeId directory, NodeId there);
  void link(const Op& op, const Answer& answer);
  void remove(const Op& op, const Answer& answer);
  void rename(const Op& op, const Answer& answer);
  void move_entry(
      const Op& op, const Answer& answer, NodeId from, const std::string& dirent, NodeId to);

  // cross_data.cpp: contents, attributes, what is open.
  Expected as_file(InodeId ino, NodeId& file) const;
  Expected as_any(InodeId ino, NodeId& node) const;
  void judge_data(const Op& op, const Answer& answer);
  void read(const Op& op, const Answer& answer);
  void write(const Op& op, const Answer& answer);
  void set_attributes(const Op& op, const Answer& answer);
  void allocate(const Op& op, const Answer& answer);
  void deallocate(const Op& op, const Answer& answer);
  void seek(const Op& op, const Answer& answer);
  void clone(const Op& op, const Answer& answer);
  void judge_xattr(const Op& op, const Answer& answer);
  static void change_xattr(Node& node, const Op& op);
  std::map<std::string, std::string> all_xattrs(const Node& node) const;
  void judge_open(const Op& op, const Answer& answer);
  void reap(bool all);
  void start_again(bool crashed);

  Settings x_settings;
  std::map<NodeId, Node> x_nodes;
  std::map<InodeId, NodeId> x_by_ino;
  std::set<InodeId> x_used;  ///< inode numbers that were ever seen
  std::vector<InodeId> x_gone;
  NodeId x_root = 0, x_next = 1;
  std::map<unsigned, NodeId> x_holds;
  std::map<unsigned, Reader> x_readers;
  std::map<std::string, ModelUpload> x_uploads;
  std::map<std::pair<NodeId, std::uint64_t>, std::string> x_positions;  ///< by cookie
  bool x_relaxed = false;
  bool x_at_once = false;
  Expected x_other_error{};  ///< that is as good as the expected one
  std::string x_problem;
};

template <class T, class U>
void CrossModel::same(std::string_view what, const T& got, const U& wanted) {
  if (!(got == wanted)) {
    if constexpr (std::is_arithmetic_v<T> && std::is_arithmetic_v<U>) {
      problem(std::string(what) + " is " + std::to_string(got) + ", not " + std::to_string(wanted));
    } else if constexpr (std::is_convertible_v<T, std::string_view> &&
                         std::is_convertible_v<U, std::string_view>) {
      problem(std::string(what) + " is '" + std::string(got) + "', not '" + std::string(wanted) +
              "'");
    } else {
      problem(std::string(what) + " differs");
    }
  }
}

}  // namespace outcrop::test
