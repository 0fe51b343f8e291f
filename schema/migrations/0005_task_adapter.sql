ALTER TABLE `tasks` ADD `adapter` blob;
--> statement-breakpoint
-- Masks are trained with the task's adapter as they are with its head.
DROP TRIGGER `tasks_drop_history`;
--> statement-breakpoint
CREATE TRIGGER `tasks_drop_history` AFTER UPDATE OF `bundle`, `labels`, `head`, `adapter` ON `tasks`
WHEN OLD.`bundle` IS NOT NEW.`bundle` OR OLD.`labels` IS NOT NEW.`labels` OR OLD.`head` IS NOT NEW.`head`
	OR OLD.`adapter` IS NOT NEW.`adapter` BEGIN
	DELETE FROM `profile_history` WHERE `task` = NEW.`name`;
END;
