"""Object detection: data, anchors, losses, suppression, COCO metrics, and the child program that trains detectors."""
