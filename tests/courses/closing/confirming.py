"""The answers to what closing asks, for tests of something else: the session runs still, the course has more hours."""

from courses.offerings.class_hours import HoursDecision

CONFIRMED = {"before_end": True, "hours": HoursDecision("按教学大纲完成")}
