"""transformers' session of SAM 3 video, keeping no more than the next frame can ask for."""

from transformers.models.sam3_video.modeling_sam3_video import Sam3VideoInferenceSession

from autolabel.base_models.sam3_pool import Found

__all__ = ["BoundedSession"]


class BoundedSession(Sam3VideoInferenceSession):  # type: ignore[misc]  # transformers has no types
    """What SAM 3 remembers of one video.

    transformers' own keeps every frame, every mask and every score, and copies the scores anew for each frame.

    Attributes:
        frame_count: Frames so far.
        found: What was detected on the newest frame, by class.
    """

    frame_count = 0
    found: dict[int, Found]

    @property
    def num_frames(self) -> int:
        """Frames so far; the model asks for it to tell how far back it may look."""
        return self.frame_count

    def prune(self, *, conditioning_frames: int, pointers: int) -> None:
        """Forget what the next frame cannot ask for.

        Args:
            conditioning_frames: So many of the newest prompted or corrected frames of an object are kept. The original
                keeps the object pointers of all of them.
            pointers: From so many frames an object has pointers at most, the present one included.
        """
        oldest = self.frame_count - pointers + 1  # of the frames that the next one reaches back to
        for outputs in self.output_dict_per_obj.values():
            conditioning, recent = outputs["cond_frame_outputs"], outputs["non_cond_frame_outputs"]
            for frame_index in sorted(conditioning)[:-conditioning_frames]:
                del conditioning[frame_index]
            for frame_index in [index for index in recent if index < oldest]:
                del recent[frame_index]
            for output in (*conditioning.values(), *recent.values()):
                output.pop("high_res_masks", None)
                output.pop("pred_masks", None)
        for per_object in (self.mask_inputs_per_obj, self.point_inputs_per_obj, self.frames_tracked_per_obj):
            for by_frame in per_object.values():
                by_frame.clear()
        self.processed_frames.clear()
        self.obj_id_to_tracker_score_frame_wise.clear()
        self.suppressed_obj_ids.clear()
        self.unmatched_frame_inds.clear()  # read by the removal of objects that streaming does without, as is the next
        self.overlap_pair_to_frame_inds.clear()

    def forget(self, object_id: int) -> None:
        """Forget an object and all that was kept for it."""
        self.remove_object(object_id)
        for of_object in (
            self.obj_id_to_score,
            self.obj_first_frame_idx,
            self.trk_keep_alive,
            self.obj_id_to_last_occluded,
        ):
            of_object.pop(object_id, None)
