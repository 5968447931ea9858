#include "tools/fsck/print.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "storage/base/size_text.h"

namespace outcrop::tools {
namespace {

namespace json = boost::json;
using check::DriveView;
using check::Finding;
using check::Report;
using check::Severity;

void drive_line(std::string& out, const DriveView& d) {
  fmt::format_to(std::back_inserter(out), "drive {:<3} {:<12} {}{}{}\n",
                 d.slot ? std::to_string(*d.slot) : "-", check::name(d.state),
                 d.path.empty() ? "(" + d.uuid + ")" : d.path, d.draining ? ", draining" : "",
                 d.mirror ? ", metadata mirror" : "");
}

void finding_line(std::string& out, const Finding& f) {
  const bool problem = f.severity == Severity::problem;
  fmt::format_to(std::back_inserter(out), "{} {}: {}. What to do: {}.\n",
                 problem ? "PROBLEM" : "note   ", f.code, f.message, f.advice);
}

void facts(std::string& out, const Report& r) {
  const auto line = [&out](const std::string& text) { out.append(text).push_back('\n'); };
  if (r.mirrors > 0) {
    line(fmt::format("journal:  {} files, {} blocks to replay, {} transactions", r.journal_files,
                     r.journal_blocks, r.replayed + r.refused));
    line(fmt::format("metadata: {} of {}", check::count_of(r.mirrors, "mirror"),
                     check::count_of(r.records, "record")));
    line(fmt::format(
        "tree:     {}, {}, {}, {} other nodes, {}, {}, {} with {}; {} in {}",
        check::count_of(r.buckets, "bucket"), check::count_of(r.files, "file"),
        r.directories == 1 ? "1 directory" : fmt::format("{} directories", r.directories),
        r.other_nodes, check::count_of(r.versions, "old version"),
        check::count_of(r.delete_markers, "delete marker"),
        check::count_of(r.uploads, "unfinished upload"), check::count_of(r.parts, "part"),
        size_text(r.object_bytes), check::count_of(r.references, "reference")));
    line(fmt::format("segments: {}: {} whole, {} degraded, {} lost, {} without data", r.segments,
                     r.segments_whole, r.segments_degraded, r.segments_lost, r.segments_unused));
    line(r.payload_read
             ? fmt::format("payload:  {} verified, {} on all drives",
                           check::count_of(r.chunks, "chunk"), size_text(r.payload_bytes))
             : "payload:  not read");
  }
  for (const check::SegmentView& s : r.not_whole) {
    line(fmt::format("segment {}: {} of {} shards good, {} needed: {}", check::hex16(s.id), s.good,
                     s.k + s.m, s.k, s.lost ? "LOST in part" : "degraded"));
  }
}

json::object drive_json(const DriveView& d) {
  json::object out;
  if (d.slot) {
    out["slot"] = *d.slot;
  }
  out["state"] = check::name(d.state);
  out["path"] = d.path;
  out["uuid"] = d.uuid;
  out["draining"] = d.draining;
  out["mirror"] = d.mirror;
  out["epoch"] = d.epoch;
  return out;
}

json::object metadata_json(const Report& r) {
  return {{"mirrors", r.mirrors},
          {"records", r.records},
          {"journal_files", r.journal_files},
          {"journal_blocks", r.journal_blocks},
          {"replayed", r.replayed},
          {"refused", r.refused}};
}

json::object tree_json(const Report& r) {
  return {{"buckets", r.buckets},         {"files", r.files},
          {"directories", r.directories}, {"other_nodes", r.other_nodes},
          {"uploads", r.uploads},         {"parts", r.parts},
          {"references", r.references},   {"bytes", r.object_bytes},
          {"versions", r.versions},       {"delete_markers", r.delete_markers}};
}

json::object segments_json(const Report& r) {
  json::array not_whole;
  for (const check::SegmentView& s : r.not_whole) {
    not_whole.push_back(json::object{
        {"id", check::hex16(s.id)}, {"k", s.k}, {"m", s.m}, {"good", s.good}, {"lost", s.lost}});
  }
  return {{"total", r.segments},
          {"whole", r.segments_whole},
          {"degraded", r.segments_degraded},
          {"lost", r.segments_lost},
          {"without_data", r.segments_unused},
          {"not_whole", std::move(not_whole)}};
}

}  // namespace

std::string fsck_text(const Report& r, const std::string& why) {
  std::string out;
  if (!r.cluster.empty()) {
    out = fmt::format("store {}, epoch {}, {} may fail\n", r.cluster, r.epoch,
                      check::count_of(r.parity, "drive"));
  }
  for (const DriveView& d : r.drives) {
    drive_line(out, d);
  }
  facts(out, r);
  for (const Finding& f : r.findings.listed()) {
    finding_line(out, f);
  }
  for (const auto& [code, count] : r.findings.counts()) {
    if (count > check::kMaxListed) {
      out += fmt::format("... and {} more of {}\n", count - check::kMaxListed, code);
    }
  }
  if (r.objects_hurt > 0) {
    out += fmt::format("{}{} hurt: see object-damaged\n", r.more_objects_hurt ? "more than " : "",
                       check::count_of(r.objects_hurt, "object"));
  }
  if (!why.empty()) {
    return out + fmt::format("NOT CHECKED to the end: {}\n", why);
  }
  return out +
         (r.findings.problems() == 0 ? "clean"
                                     : check::count_of(r.findings.problems(), "problem")) +
         (r.findings.notes() == 0 ? "" : ", " + check::count_of(r.findings.notes(), "note")) + "\n";
}

std::string fsck_json(const Report& r, const std::string& why) {
  json::array drives, findings;
  for (const DriveView& d : r.drives) {
    drives.push_back(drive_json(d));
  }
  for (const Finding& f : r.findings.listed()) {
    findings.push_back(
        json::object{{"severity", f.severity == Severity::problem ? "problem" : "note"},
                     {"code", f.code},
                     {"message", f.message},
                     {"advice", f.advice}});
  }
  json::object counts;
  for (const auto& [code, count] : r.findings.counts()) {
    counts[code] = count;
  }
  const json::object out{
      {"clean", why.empty() && r.findings.problems() == 0},
      {"error", why},
      {"cluster", r.cluster},
      {"epoch", r.epoch},
      {"parity", r.parity},
      {"drives", std::move(drives)},
      {"metadata", metadata_json(r)},
      {"tree", tree_json(r)},
      {"segments", segments_json(r)},
      {"payload",
       json::object{{"read", r.payload_read}, {"chunks", r.chunks}, {"bytes", r.payload_bytes}}},
      {"objects_hurt", r.objects_hurt},
      {"more_objects_hurt", r.more_objects_hurt},
      {"problems", r.findings.problems()},
      {"notes", r.findings.notes()},
      {"counts", std::move(counts)},
      {"findings", std::move(findings)}};
  return json::serialize(out) + "\n";
}

int fsck_exit_code(const Report& report, const std::string& why) {
  if (!why.empty()) {
    return kNotChecked;
  }
  return report.findings.problems() == 0 ? kClean : kProblems;
}

}  // namespace outcrop::tools
