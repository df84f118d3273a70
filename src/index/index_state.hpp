#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/adjacency.hpp"
#include "base/shared_array.hpp"
#include "diskann/calibration.hpp"
#include "diskann/index.hpp"
#include "index/codes.hpp"
#include "index/point_table.hpp"
#include "index/searcher.hpp"

namespace diskann {

/// What an index is made of. Everything else (searcher, file, Microsoft's set) reads it.
struct Index::State {
  BuildParameters parameters;
  Distance metric = Distance::L2;
  VectorType source_type = VectorType::F32;
  std::string builder = "incremental";  ///< or index::kMicrosoftBuilder
  bool paged = false;                   ///< read from a file for a drive
  bool foreign = false;                 ///< a set of Microsoft's as it is, which no file of ours may hold
  base::RowStore rows;                  ///< one row a node; without data where codes alone were kept
  base::SharedArray<float> norms;
  index::Codes codes;
  base::Adjacency graph;
  std::vector<base::Slot> entry_points;
  index::PointTable points;
  Calibration calibration;
  std::shared_ptr<const DistanceFunction> custom;

  using KernelSearcher = index::Searcher<graph::KernelSpace>;
  using CodeSearcher = index::Searcher<graph::CodeSpace>;
  using LoneCodeSearcher = index::Searcher<graph::LoneCodeSpace>;
  using CustomSearcher = index::Searcher<graph::CustomSpace>;
  std::unique_ptr<const std::variant<KernelSearcher, CodeSearcher, LoneCodeSearcher, CustomSearcher>> searcher;

  bool has_vectors() const noexcept { return rows.view().data != nullptr; }
  /// Last step of making a state: nothing may change or move afterwards.
  void make_searcher();
};

}  // namespace diskann
