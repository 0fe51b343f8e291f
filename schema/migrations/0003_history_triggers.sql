-- Triggers write the history, so that no kind of write can skip it.
CREATE TRIGGER `profiles_keep_history` AFTER UPDATE ON `profiles` WHEN NEW.`generation` > OLD.`generation` BEGIN
	INSERT INTO `profile_history` (`task`, `id`, `masks`, `label_bias`, `generation`, `updated_at`)
	VALUES (OLD.`task`, OLD.`id`, OLD.`masks`, OLD.`label_bias`, OLD.`generation`, OLD.`updated_at`);
	DELETE FROM `profile_history`
	WHERE `task` = NEW.`task` AND `id` = NEW.`id` AND `generation` < NEW.`generation` - 5;
END;
--> statement-breakpoint
CREATE TRIGGER `profiles_leave_tombstone` AFTER DELETE ON `profiles` BEGIN
	DELETE FROM `profile_history` WHERE `task` = OLD.`task` AND `id` = OLD.`id`;
	INSERT INTO `tombstones` (`task`, `id`, `generation`) VALUES (OLD.`task`, OLD.`id`, OLD.`generation` + 1);
END;
--> statement-breakpoint
CREATE TRIGGER `profiles_lift_tombstone` AFTER INSERT ON `profiles` BEGIN
	DELETE FROM `tombstones` WHERE `task` = NEW.`task` AND `id` = NEW.`id`;
END;
--> statement-breakpoint
CREATE TRIGGER `tasks_leave_tombstone` AFTER DELETE ON `tasks` BEGIN
	INSERT INTO `tombstones` (`task`, `id`, `generation`) VALUES (OLD.`name`, '', OLD.`generation` + 1);
END;
--> statement-breakpoint
CREATE TRIGGER `tasks_lift_tombstone` AFTER INSERT ON `tasks` BEGIN
	DELETE FROM `tombstones` WHERE `task` = NEW.`name` AND `id` = '';
END;
--> statement-breakpoint
-- A rollback must not restore masks that were trained with another head.
CREATE TRIGGER `tasks_drop_history` AFTER UPDATE OF `bundle`, `labels`, `head` ON `tasks`
WHEN OLD.`bundle` IS NOT NEW.`bundle` OR OLD.`labels` IS NOT NEW.`labels` OR OLD.`head` IS NOT NEW.`head` BEGIN
	DELETE FROM `profile_history` WHERE `task` = NEW.`name`;
END;
